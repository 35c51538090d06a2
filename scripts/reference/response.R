# Binary outcomes: posteriors from JAGS, of several outcomes that share their priors and of one alone.
#   Rscript scripts/reference/response.R     # from the repository root; about two minutes
# writes tests/reference/data/outcomes.csv (made up) and tests/reference/response.csv. Needs rjags and coda.
suppressPackageStartupMessages(library(rjags))

# ---- 61 made-up patients, prone to events together, some of whose outcomes are not known ----------------------------

set.seed(20261124)
n <- 61
cti2 <- rep(c(0, 1), c(34, 27))
bulky <- rbinom(n, 1, 0.4)
prone <- rnorm(n, 0, 0.8)
risk <- function(intercept, treated) plogis(intercept + treated * cti2 + 0.4 * bulky + prone)
events <- cbind(neutropenia = rbinom(n, 1, risk(0.8, 0.5)), anaemia = rbinom(n, 1, risk(0, 0.2)),
                infection = rbinom(n, 1, risk(-0.6, 1.2)), hepatic = rbinom(n, 1, risk(-2.5, 0.4)),
                renal = as.integer(seq_len(n) == 40))  # one patient of the second arm
events[cbind(c(3, 17, 45, 45, 58), c(1, 3, 3, 4, 4))] <- NA
frame <- data.frame(cti2, bulky, events)
write.csv(frame, "tests/reference/data/outcomes.csv", row.names = FALSE, quote = FALSE, na = "")

# ---- the models ------------------------------------------------------------------------------------------------------

shared <- "model {
  for (i in 1:n) {
    patient[i] ~ dnorm(0, 1)
    for (k in 1:K) {
      logit(p[i, k]) <- intercept[k] + coefficient[1, k] * x[i, 1] + coefficient[2, k] * x[i, 2] + patient_sd * patient[i]
      y[i, k] ~ dbern(p[i, k])
      p0[i, k] <- ilogit(intercept[k] + coefficient[2, k] * x[i, 2] + patient_sd * patient[i])
      p1[i, k] <- ilogit(intercept[k] + coefficient[1, k] + coefficient[2, k] * x[i, 2] + patient_sd * patient[i])
    }
  }
  for (k in 1:K) {
    intercept[k] ~ dnorm(0, pow(1.5, -2))
    for (t in 1:2) {
      z[t, k] ~ dnorm(0, 1)
      coefficient[t, k] <- group_mean[t] + group_sd[t] * z[t, k]
    }
    difference[k] <- mean(p1[, k]) - mean(p0[, k])
  }
  for (t in 1:2) {
    group_mean[t] ~ dnorm(0, 1)
    group_sd[t] ~ dnorm(0, pow(0.5, -2)) T(0, )
  }
  patient_sd ~ dnorm(0, 1) T(0, )
}"
alone <- "model {
  for (i in 1:n) {
    logit(p[i, 1]) <- intercept[1] + coefficient[1, 1] * x[i, 1] + coefficient[2, 1] * x[i, 2]
    y[i, 1] ~ dbern(p[i, 1])
    p0[i] <- ilogit(intercept[1] + coefficient[2, 1] * x[i, 2])
    p1[i] <- ilogit(intercept[1] + coefficient[1, 1] + coefficient[2, 1] * x[i, 2])
  }
  intercept[1] ~ dnorm(0, pow(1.5, -2))
  for (t in 1:2) { coefficient[t, 1] ~ dnorm(0, 1) }
  difference[1] <- mean(p1) - mean(p0)
}"

posterior <- function(name, program, outcomes, watched) {
  terms <- c("cti2", "bulky")
  y <- as.matrix(frame[, outcomes, drop = FALSE])
  data <- list(n = n, x = as.matrix(frame[, terms]), y = y)
  if (length(outcomes) > 1) data$K <- length(outcomes)
  start <- lapply(1:4, function(chain) list(.RNG.name = "base::Mersenne-Twister", .RNG.seed = 100 + chain))
  model <- jags.model(textConnection(program), data, start, n.chains = 4, n.adapt = 2000, quiet = TRUE)
  update(model, 5000, progress.bar = "none")
  draws <- coda.samples(model, watched, n.iter = 60000, thin = 5, progress.bar = "none")
  ess <- effectiveSize(draws)
  stopifnot(gelman.diag(draws, multivariate = FALSE)$psrf[, 1] < 1.005, ess > 4000)
  found <- summary(draws)$statistics
  label <- function(parameter) {
    found <- regmatches(parameter, regexec("^(\\w+)(\\[(\\d+)(,(\\d+))?\\])?$", parameter))[[1]]
    first <- as.integer(found[4])
    switch(found[2],
      coefficient = sprintf("coefficient[%s, %s]", terms[first], outcomes[as.integer(found[6])]),
      intercept = , difference = sprintf("%s[%s]", found[2], outcomes[if (is.na(first)) 1 else first]),
      group_mean = , group_sd = sprintf("%s[%s]", found[2], terms[first]),
      parameter)
  }
  data.frame(model = name, parameter = vapply(rownames(found), label, ""), mean = found[, "Mean"],
             sd = found[, "SD"], mcse = found[, "SD"] / sqrt(ess))
}

table <- rbind(
  posterior("shared", shared, names(frame)[-(1:2)],
            c("intercept", "coefficient", "group_mean", "group_sd", "patient_sd", "difference")),
  posterior("alone", alone, "infection", c("intercept", "coefficient", "difference")))
table$parameter <- paste0('"', table$parameter, '"')
for (column in c("mean", "sd", "mcse")) table[[column]] <- formatC(table[[column]], digits = 15, format = "g", width = 1)
write.csv(table, "tests/reference/response.csv", row.names = FALSE, quote = FALSE)
