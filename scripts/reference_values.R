# Makes every file in tests/reference/: data sets, log-likelihoods at fixed parameters, maximum-likelihood fits and
# posterior means from JAGS and Stan. The Python tests hold bayesurv to these numbers.
#
#     Rscript scripts/reference_values.R            all of it
#     Rscript scripts/reference_values.R quick      all but the posterior
#
# Run it from the repository root. It needs R with survival, KMsurv, rjags, rstan, coda and jsonlite (Debian: r-cran-*).

folder <- "tests/reference"
stopifnot(dir.exists("scripts/reference"))
dir.create(file.path(folder, "data"), recursive = TRUE, showWarnings = FALSE)

write_table <- function(table, name) {
  as_text <- function(x) {
    if (is.double(x)) return(ifelse(is.na(x), "", format_number(x)))
    x <- ifelse(is.na(x), "", as.character(x))
    ifelse(grepl('[",]', x), paste0('"', gsub('"', '""', x), '"'), x)
  }
  rows <- do.call(paste, c(lapply(table, as_text), sep = ","))
  writeLines(c(paste(names(table), collapse = ","), rows), file.path(folder, name))
}
format_number <- function(x) formatC(x, digits = 15, format = "g", width = 1)
write_json <- function(object, name) {
  text <- jsonlite::toJSON(object, auto_unbox = TRUE, digits = NA, pretty = TRUE, null = "null")
  writeLines(text, file.path(folder, name))
}
read_data <- function(name) read.csv(file.path(folder, "data", paste0(name, ".csv")))

source("scripts/reference/data.R")
source("scripts/reference/likelihood.R")
source("scripts/reference/maximum_likelihood.R")
source("scripts/reference/checks.R")
if (!identical(commandArgs(trailingOnly = TRUE), "quick")) source("scripts/reference/posterior.R")
