# brms on rstan: Weibull regression of censored times by NUTS; its coefficients are of log time.
suppressPackageStartupMessages({library(brms); library(jsonlite)})
if (dir.exists("/usr/include/boost")) # where Debian keeps the headers
    rstan::rstan_options(boost_lib = "/usr/include")
frame <- read.csv(commandArgs(trailingOnly = TRUE)[1])
frame$censored <- 1 - frame$event
seconds <- function(expression) system.time(expression)[["elapsed"]]
fit <- NULL
first <- seconds(fit <- brm(time | cens(censored) ~ cti2 + bulky + stage, frame, family = weibull(),
    chains = 4, iter = 2000, cores = 2, seed = 1, refresh = 0, silent = 2,
    control = list(adapt_delta = 0.95)))
again <- replicate(5, seconds(fit <<- update(fit, newdata = frame, recompile = FALSE, seed = 2,
    refresh = 0, silent = 2)))
draws <- as_draws_df(fit)
cat(toJSON(list(first = first, again = median(again),
    `log hazard ratio of cti2` = mean(-draws$b_cti2 * draws$shape)), auto_unbox = TRUE))
