# Cox, Weibull, exponential and logistic regressions of public cohorts:
#   Rscript scripts/reference/cox.R     # from the repository root; writes tests/reference/cox*.csv and data/heart.csv
library(survival)
library(brglm2)

month <- 30.4375  # days
read_data <- function(name) read.csv(file.path("tests/reference/data", paste0(name, ".csv")))
write_table <- function(table, name) {
  table[] <- lapply(table, function(x) if (is.double(x)) signif(x, 15) else x)
  write.csv(table, file.path("tests/reference", name), row.names = FALSE, quote = FALSE)
}

# Stanford heart transplants: waiting and transplanted stretches of each patient are rows of their own.
write_table(with(heart, data.frame(id, entry = start / month, time = stop / month, event, age10 = age / 10,
                                   year, surgery, transplant = as.integer(transplant == 1))), "data/heart.csv")

found <- NULL
note <- function(case, quantity, values, terms = "")
  found <<- rbind(found, data.frame(case, term = terms, quantity, value = unname(values)))

# Where twice the log-likelihood, with one coefficient held, has fallen by the chi-squared quantile.
profile_end <- function(log_likelihood, top, estimate, step) {
  fallen <- function(b) 2 * (top - log_likelihood(b)) - qchisq(0.95, 1)
  end <- estimate + step
  while (fallen(end) < 0) end <- end + step
  uniroot(fallen, sort(c(estimate, end)), tol = 1e-12)$root
}
profile <- function(case, terms, estimate, error, top, held) {
  for (i in seq_along(terms)) for (way in c(-1, 1))
    note(case, if (way < 0) "profile_lower" else "profile_upper",
         profile_end(function(b) held(i, b), top, estimate[i], way * error[i]), terms[i])
}
estimates <- function(case, terms, estimate, covariance) {
  note(case, "coefficient", estimate, terms)
  note(case, "standard_error", sqrt(diag(covariance)), terms)
}

# ---- Cox --------------------------------------------------------------------------------------------------------------

tight <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 100)
cox <- function(case, name, terms, entry = FALSE, strata = NULL, ties = "efron") {
  data <- read_data(name)
  outcome <- if (entry) "Surv(entry, time, event)" else "Surv(time, event)"
  aside <- if (!is.null(strata)) sprintf("strata(%s)", strata)
  fit <- coxph(reformulate(c(terms, aside), outcome), data, ties = ties, control = tight)
  estimates(case, terms, coef(fit), vcov(fit))
  note(case, c("null_log_likelihood", "log_likelihood"), fit$loglik)
  note(case, c("likelihood-ratio", "wald", "score"), c(2 * diff(fit$loglik), fit$wald.test, fit$score))
  profile(case, terms, coef(fit), sqrt(diag(vcov(fit))), fit$loglik[2], function(i, b) {
    data$held <- b * data[[terms[i]]]
    held <- coxph(reformulate(c(terms[-i], "offset(held)", aside), outcome), data, ties = ties, control = tight)
    tail(held$loglik, 1)
  })
  for (transform in c("km", "rank", "identity", "log"))
    note(case, paste0("zph_", transform), cox.zph(fit, transform, terms = FALSE)$table[, "chisq"], c(terms, "all terms"))
}
veteran_terms <- c("trt", "karno10", "age10", "prior", "diagtime10")
options(warn = -1)  # "tolerance should be < eps" of every fit
cox("veteran", "veteran", veteran_terms)
cox("veteran_breslow", "veteran", veteran_terms, ties = "breslow")
cox("veteran_strata", "veteran", c("trt", "karno10"), strata = "celltype")
cox("lung", "lung", c("age10", "female"))
cox("lung_strata", "lung", c("age10", "female"), strata = "inst")
cox("ovarian", "ovarian", c("age10", "rx2", "residual"))
cox("kidney", "kidney", c("age10", "female"))
cox("channing", "channing", "male", entry = TRUE)
cox("heart", "heart", c("age10", "year", "surgery", "transplant"), entry = TRUE)
cox("heart_strata", "heart", c("age10", "year", "transplant"), entry = TRUE, strata = "surgery")

# No event where trt is 1: coxph stops on its way to minus infinity, but the others have arrived.
separated <- within(read_data("veteran"), event[trt == 1] <- 0)
fit <- coxph(Surv(time, event) ~ trt + karno10 + age10, separated, control = coxph.control(iter.max = 30))
note("veteran_separated", "log_likelihood", fit$loglik[2])
note("veteran_separated", "coefficient", coef(fit)[-1], c("karno10", "age10"))
note("veteran_separated", "standard_error", sqrt(diag(vcov(fit)))[-1], c("karno10", "age10"))
note("veteran_separated", "score", fit$score)

# ---- Weibull and exponential, as hazards ------------------------------------------------------------------------------

parametric <- function(case, name, terms, dist) {
  data <- read_data(name)
  if (is.null(data$upper)) data$upper <- ifelse(data$event == 1, data$time, NA)
  data$lower <- ifelse(data$time == 0, NA, data$time)
  fit <- survreg(reformulate(terms, "Surv(lower, upper, type = 'interval2')"), data, dist = dist,
                 control = survreg.control(maxiter = 100, rel.tolerance = 1e-14))
  shape <- 1 / fit$scale
  size <- length(coef(fit))
  turn <- -shape * diag(size)
  names <- c("intercept", terms)
  values <- -shape * coef(fit)
  if (dist == "weibull") {
    turn <- rbind(cbind(turn, -values), c(rep(0, size), -1))
    names <- c(names, "log_shape")
    values <- c(values, log(shape))
  }
  estimates(case, names, values, turn %*% vcov(fit) %*% t(turn))
  note(case, c("null_log_likelihood", "log_likelihood"), fit$loglik)
}
for (dist in c("weibull", "exponential")) {
  parametric(paste0("veteran_", dist), "veteran", veteran_terms, dist)
  parametric(paste0("lung_", dist), "lung", c("age10", "female"), dist)
  parametric(paste0("ovarian_", dist), "ovarian", c("age10", "rx2", "residual"), dist)
  parametric(paste0("bcdeter_", dist), "bcdeter", "treat", dist)
}

# ---- Logistic: death within three months, of veterans not censored before ---------------------------------------------

logistic <- function(case, data, terms) {
  formula <- reformulate(terms, "early")
  exact <- glm.control(epsilon = 1e-15, maxit = 100)
  fit <- glm(formula, binomial, data, control = exact)
  names <- c("intercept", terms)
  estimates(case, names, coef(fit), vcov(fit))
  note(case, c("null_log_likelihood", "log_likelihood"), -c(fit$null.deviance, fit$deviance) / 2)
  null <- glm(early ~ 1, binomial, data, control = exact)
  note(case, "score", anova(null, fit, test = "Rao")$Rao[2])
  profile(case, names, coef(fit), sqrt(diag(vcov(fit))), -fit$deviance / 2, function(i, b) {
    x <- cbind(1, as.matrix(data[terms]))
    -glm.fit(x[, -i, drop = FALSE], data$early, offset = b * x[, i], family = binomial(), control = exact)$deviance / 2
  })
}
firth <- function(case, data, terms) {
  fit <- glm(reformulate(terms, "early"), binomial, data, method = "brglmFit", type = "AS_mean", epsilon = 1e-13,
             maxit = 1000)
  estimates(case, c("intercept", terms), coef(fit), vcov(fit))
}
known <- subset(read_data("veteran"), time > 3 | event == 1)
known$early <- as.integer(known$time <= 3)
logistic("early", known, c("trt", "karno10", "age10"))
firth("early_firth", known, c("trt", "karno10", "age10"))
# ... and with nobody of those treated before dying early.
firth("early_separated_firth", within(known, early[prior == 1] <- 0), c("trt", "karno10", "prior"))

write_table(found, "cox.csv")
