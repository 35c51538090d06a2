# Maximum-likelihood fits (flat priors): maximum_likelihood.csv and maximum_likelihood_models.json.
# survreg and glm where they can fit the model, Newton's method on the exact score where they cannot.

total_log_likelihood <- function(model, parameters) {
  data <- read_data(model$data)
  p <- c(parameters, model[c("cuts", "scale")])
  sum(row_log_likelihood(data, baselines[[model$baseline]](p), fixed_part(data, p$coefficient), model))
}
as_coefficient <- function(values, terms) as.list(setNames(values, terms))

# ---- survreg: exponential and Weibull ---------------------------------------------------------------------------------

tight <- survreg.control(maxiter = 100, rel.tolerance = 1e-14)
fit_survreg <- function(outcome, model) {
  data <- read_data(model$data)
  data$lower <- ifelse(data$time == 0, NA, data$time)
  fit <- survreg(reformulate(model$terms, outcome), data, dist = model$baseline, control = tight)
  shape <- 1 / fit$scale
  hazard_scale <- unname(-coef(fit) * shape)
  parameters <- list(intercept = hazard_scale[1], coefficient = as_coefficient(hazard_scale[-1], model$terms))
  if (model$baseline == "weibull") parameters <- append(parameters, list(shape = shape), 1)
  close_to(fit$loglik[2], total_log_likelihood(model, parameters))
  parameters
}

# ---- Poisson regression: piecewise exponential ------------------------------------------------------------------------

fit_poisson <- function(model) {
  data <- read_data(model$data)
  spent <- exposure(data$time, model$cuts)
  long <- data.frame(
    interval = factor(rep(seq_len(ncol(spent)), each = nrow(data))), spent = as.vector(spent),
    died = as.vector(data$event * outer(interval_of(data$time, model$cuts), seq_len(ncol(spent)), "==")),
    data[rep(seq_len(nrow(data)), ncol(spent)), model$terms, drop = FALSE]
  )
  fit <- glm(reformulate(c("0", "interval", model$terms, "offset(log(spent))"), "died"), poisson,
             subset(long, spent > 0), control = glm.control(epsilon = 1e-15, maxit = 100))
  count <- ncol(spent)
  list(log_hazard = unname(coef(fit)[1:count]), coefficient = as_coefficient(coef(fit)[-(1:count)], model$terms))
}

# ---- Newton: delayed entry and Gompertz -------------------------------------------------------------------------------

newton <- function(start, log_likelihood, score) {
  fit <- optim(start, log_likelihood, score, method = "BFGS", control = list(fnscale = -1, reltol = 1e-14, maxit = 1000))
  estimate <- fit$par
  for (i in 1:20) {
    step <- solve(optimHess(estimate, log_likelihood, score), score(estimate))
    estimate <- estimate - step
    if (max(abs(step)) < 1e-11) return(estimate)
  }
  stop("Newton's method did not settle: last step ", max(abs(step)))
}

# Parameters on the way: intercept, log(shape) or slope, coefficients. The intercept is moved to the middle of the data
# (time `centre`) for the search and moved back at the end.
fit_newton <- function(model, centre) {
  data <- read_data(model$data)
  design <- cbind(1, as.matrix(data[model$terms]))
  entry <- if (is.null(model$entry)) 0 * data$time else data[[model$entry]]
  time <- data$time
  event <- data$event
  split <- function(v) list(first = v[2], linear = as.vector(design %*% v[-2]))
  if (model$baseline == "weibull") {
    hazard <- function(s) exp(s$linear) * exp(s$first) / centre * (time / centre)^(exp(s$first) - 1)
    cumulative <- function(s) exp(s$linear) * ((time / centre)^exp(s$first) - (entry / centre)^exp(s$first))
    power_slope <- function(t, k) ifelse(t > 0, (t / centre)^k * log(pmax(t, 1e-300) / centre), 0)
    score_first <- function(s) {
      k <- exp(s$first)
      sum(event * (1 + k * log(time / centre)) -
            exp(s$linear) * k * (power_slope(time, k) - power_slope(entry, k)))
    }
  } else {  # Gompertz with hazard exp(linear + slope * (t - centre) / scale)
    at <- function(t, slope) exp(slope * (t - centre) / model$scale)
    hazard <- function(s) exp(s$linear) * at(time, s$first)
    cumulative <- function(s) exp(s$linear) * (at(time, s$first) - at(entry, s$first)) * model$scale / s$first
    part <- function(t, slope) at(t, slope) * ((t - centre) / slope - model$scale / slope^2)
    score_first <- function(s)
      sum(event * (time - centre) / model$scale - exp(s$linear) * (part(time, s$first) - part(entry, s$first)))
  }
  log_likelihood <- function(v) {
    s <- split(v)
    sum(event * log(hazard(s))) - sum(cumulative(s))
  }
  score <- function(v) {
    s <- split(v)
    linear <- colSums(design * (event - cumulative(s)))
    c(linear[1], score_first(s), linear[-1])
  }
  start <- c(log(sum(event) / sum(time - entry)), 0.1, rep(0, length(model$terms)))
  if (model$baseline == "weibull") start[1] <- start[1] + log(centre)
  small <- 1e-6  # the score is the slope of the log-likelihood
  numeric <- vapply(seq_along(start), function(i) {
    up <- replace(start, i, start[i] + small)
    down <- replace(start, i, start[i] - small)
    (log_likelihood(up) - log_likelihood(down)) / (2 * small)
  }, numeric(1))
  close_to(score(start), numeric, 1e-5)
  v <- newton(start, log_likelihood, score)
  coefficient <- as_coefficient(v[-(1:2)], model$terms)
  parameters <- if (model$baseline == "weibull") {
    list(intercept = v[1] - exp(v[2]) * log(centre), shape = exp(v[2]), coefficient = coefficient)
  } else {
    list(intercept = v[1] - v[2] * centre / model$scale, slope = v[2], coefficient = coefficient)
  }
  close_to(log_likelihood(v), total_log_likelihood(model, parameters))
  parameters
}

# ---- the fits ---------------------------------------------------------------------------------------------------------

five_terms <- c("trt", "karno10", "age10", "prior", "diagtime10")
models <- list(
  exponential_veteran = list(data = "veteran", baseline = "exponential", terms = five_terms),
  weibull_veteran = list(data = "veteran", baseline = "weibull", terms = five_terms),
  weibull_bcdeter = list(data = "bcdeter", baseline = "weibull", terms = "treat", upper = "upper"),
  piecewise_veteran = list(data = "veteran", baseline = "piecewise-exponential", terms = five_terms, cuts = c(1, 2, 4, 8)),
  weibull_channing = list(data = "channing", baseline = "weibull", terms = "male", entry = "entry"),
  gompertz_channing = list(data = "channing", baseline = "gompertz", terms = "male", entry = "entry", scale = 10),
  gompertz_veteran = list(data = "veteran", baseline = "gompertz", terms = five_terms, scale = 4)
)
estimates <- list(
  exponential_veteran = fit_survreg(right, models$exponential_veteran),
  weibull_veteran = fit_survreg(right, models$weibull_veteran),
  weibull_bcdeter = fit_survreg(interval, models$weibull_bcdeter),
  piecewise_veteran = fit_poisson(models$piecewise_veteran),
  weibull_channing = fit_newton(models$weibull_channing, centre = 20),
  gompertz_channing = fit_newton(models$gompertz_channing, centre = 20),
  gompertz_veteran = fit_newton(models$gompertz_veteran, centre = 4)
)

# Is it right? The search agrees with survreg where both can fit, and every fit stands at a maximum: its log-likelihood,
# from the row functions, is flat there and falls on each side.
close_to(unlist(fit_newton(models$weibull_veteran, centre = 4)), unlist(estimates$weibull_veteran), 1e-8)
for (name in names(models)) {
  best <- unlist(estimates[[name]])
  value <- function(v) total_log_likelihood(models[[name]], relist(v, estimates[[name]]))
  for (i in seq_along(best)) {
    nudge <- 1e-4 * (seq_along(best) == i)
    curvature <- 2 * value(best) - value(best + nudge) - value(best - nudge)
    slope <- value(best + nudge) - value(best - nudge)
    stopifnot(curvature > 0, abs(slope) < 1e-3 * curvature)
  }
}

# ---- write ------------------------------------------------------------------------------------------------------------

named_values <- function(parameters) {  # log_hazard -> log_hazard[1], ...; coefficient -> coefficient[trt], ...
  unlist(lapply(names(parameters), function(name) {
    value <- unlist(parameters[[name]])
    if (name == "coefficient") return(setNames(value, sprintf("coefficient[%s]", names(value))))
    if (name == "log_hazard") return(setNames(value, sprintf("log_hazard[%d]", seq_along(value))))
    setNames(value, name)
  }))
}
write_table(do.call(rbind, lapply(names(models), function(name) {
  values <- named_values(estimates[[name]])
  data.frame(case = name, data = models[[name]]$data, parameter = names(values), estimate = unname(values),
             log_likelihood = total_log_likelihood(models[[name]], estimates[[name]]))
})), "maximum_likelihood.csv")
write_json(lapply(models, function(model) replace(model, "terms", list(I(model$terms)))), "maximum_likelihood_models.json")
cat("maximum-likelihood fits written and checked\n")
