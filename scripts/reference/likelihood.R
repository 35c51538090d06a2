# Log-likelihood of every row at fixed parameters, in plain arithmetic: log_likelihood.csv and
# log_likelihood_parameters.json. maximum_likelihood.R and posterior.R use the functions.

library(survival)

# ---- baselines: log h0(t) and H0(t) -----------------------------------------------------------------------------------

exponential <- function(p) list(
  log_hazard = function(t) rep(p$intercept, length(t)),
  cumulative_hazard = function(t) exp(p$intercept) * t
)
weibull <- function(p) list(
  log_hazard = function(t) p$intercept + log(p$shape) + (p$shape - 1) * log(t),
  cumulative_hazard = function(t) exp(p$intercept) * t^p$shape
)
gompertz <- function(p) list(
  log_hazard = function(t) p$intercept + p$slope * t / p$scale,
  cumulative_hazard = function(t) {
    rate <- p$slope / p$scale + 0 * t
    exp(p$intercept) * ifelse(rate == 0, t, expm1(rate * t) / rate)
  }
)

# Piecewise exponential: intervals (0, cut1], (cut1, cut2], ... (last cut, Inf).
interval_of <- function(t, cuts) findInterval(t, cuts, left.open = TRUE) + 1
exposure <- function(t, cuts) {  # rows: times; columns: time spent in each interval
  start <- c(0, cuts)
  end <- c(cuts, Inf)
  t(vapply(t, function(time) pmax(0, pmin(time, end) - start), numeric(length(start))))
}
piecewise_exponential <- function(p) list(
  log_hazard = function(t) p$log_hazard[interval_of(t, p$cuts)],
  cumulative_hazard = function(t) as.vector(exposure(t, p$cuts) %*% exp(p$log_hazard))
)

# M-splines of order 4: each is a B-spline scaled to integrate to 1 over [0, boundary].
full_knots <- function(knots, boundary, order = 4) c(rep(0, order), knots, rep(boundary, order))
mspline_basis <- function(t, knots, boundary) {
  all <- full_knots(knots, boundary)
  width <- diff(all, lag = 4)
  sweep(splines::splineDesign(all, pmin(t, boundary), ord = 4), 2, 4 / width, "*")
}
mspline_integral <- function(t, knots, boundary) {  # a B-spline's integral is a sum of B-splines one order higher
  higher <- splines::splineDesign(full_knots(knots, boundary, 5), pmin(t, boundary), ord = 5)
  inside <- t(apply(higher, 1, function(b) rev(cumsum(rev(b)))[-1]))
  inside + pmax(t - boundary, 0) * mspline_basis(rep(boundary, length(t)), knots, boundary)
}
mspline <- function(p) list(
  log_hazard = function(t) p$intercept + log(as.vector(mspline_basis(t, p$knots, p$boundary) %*% p$weights)),
  cumulative_hazard = function(t)
    exp(p$intercept) * as.vector(mspline_integral(t, p$knots, p$boundary) %*% p$weights)
)
constant_hazard_weights <- function(knots, boundary) {
  width <- diff(full_knots(knots, boundary), lag = 4)
  width / sum(width)
}
baselines <- list(
  "exponential" = exponential, "weibull" = weibull, "gompertz" = gompertz,
  "piecewise-exponential" = piecewise_exponential, "mspline" = mspline
)

# ---- one row ----------------------------------------------------------------------------------------------------------

# exact: log h - H + H(entry); right-censored: -H + H(entry); interval: log(S(time) - S(upper)) + H(entry).
# `columns` says which columns hold entry and upper; a row is an interval when upper > time.
row_log_likelihood <- function(data, baseline, linear, columns = list()) {
  entry <- if (is.null(columns$entry)) 0 * data$time else data[[columns$entry]]
  upper <- if (is.null(columns$upper)) NA * data$time else data[[columns$upper]]
  cumulative <- function(t) baseline$cumulative_hazard(t) * exp(linear)
  exact <- data$event == 1 & (is.na(upper) | upper == data$time)
  interval <- data$event == 1 & !exact
  result <- cumulative(entry) - cumulative(data$time)
  result[exact] <- result[exact] + (baseline$log_hazard(data$time) + linear)[exact]
  step <- cumulative(ifelse(interval, upper, data$time)) - cumulative(data$time)
  result[interval] <- result[interval] + log(-expm1(-step[interval]))
  result
}
fixed_part <- function(data, coefficient) {
  if (length(coefficient) == 0) return(0 * data$time)
  as.vector(as.matrix(data[names(coefficient)]) %*% unlist(coefficient))
}
case_rows <- function(case) {
  data <- read_data(case$data)
  p <- case$parameters
  linear <- fixed_part(data, p$coefficient)
  for (term in names(p$group_effect)) {  # "1|inst" or "trt|celltype"
    parts <- strsplit(term, "|", fixed = TRUE)[[1]]
    multiplier <- if (parts[1] == "1") 1 else data[[parts[1]]]
    linear <- linear + multiplier * unlist(p$group_effect[[term]])[as.character(data[[parts[2]]])]
  }
  row_log_likelihood(data, baselines[[case$baseline]](p), linear, case)
}

# ---- the cases --------------------------------------------------------------------------------------------------------

two <- list(treat = -0.45, age10 = 0.3)
five <- list(trt = 0.2, karno10 = -0.3, age10 = -0.1, prior = 0.05, diagtime10 = 0.02)
knots <- c(4, 9, 15)
mixed_case <- function(baseline, ...) list(
  data = "mixed", baseline = baseline, entry = "entry", upper = "upper",
  parameters = list(..., coefficient = two)
)
hospitals <- sort(unique(read_data("lung")$inst))
cases <- list(
  exponential_mixed = mixed_case("exponential", intercept = -2.3),
  weibull_mixed = mixed_case("weibull", intercept = -2.9, shape = 1.35),
  weibull_mixed_decreasing = mixed_case("weibull", intercept = -1.4, shape = 0.6),
  gompertz_mixed = mixed_case("gompertz", intercept = -2.6, slope = 0.35, scale = 8),
  gompertz_mixed_decreasing = mixed_case("gompertz", intercept = -2.0, slope = -0.5, scale = 8),
  gompertz_mixed_flat = mixed_case("gompertz", intercept = -2.3, slope = 0, scale = 8),
  piecewise_mixed = mixed_case("piecewise-exponential", cuts = c(3, 6, 12), log_hazard = c(-2.5, -1.9, -2.2, -3.1)),
  mspline_mixed = mixed_case("mspline", intercept = 0.7, knots = knots, boundary = 24,
                             weights = c(0.05, 0.1, 0.3, 0.2, 0.15, 0.12, 0.08)),
  mspline_mixed_flat = mixed_case("mspline", intercept = log(24) - 2.3, knots = knots, boundary = 24,
                                  weights = constant_hazard_weights(knots, 24)),
  exponential_veteran = list(data = "veteran", baseline = "exponential",
                             parameters = list(intercept = -1.5, coefficient = five)),
  weibull_veteran = list(data = "veteran", baseline = "weibull",
                         parameters = list(intercept = -1.7, shape = 1.1, coefficient = five)),
  weibull_lung_groups = list(
    data = "lung", baseline = "weibull",
    parameters = list(intercept = -3.4, shape = 1.3, coefficient = list(age10 = 0.15, female = -0.5),
                      group_effect = list("1|inst" = as.list(setNames(
                        round(sin(seq_along(hospitals)) / 2, 3), hospitals))))),
  weibull_channing = list(data = "channing", baseline = "weibull", entry = "entry",
                          parameters = list(intercept = -11, shape = 3, coefficient = list(male = 0.35))),
  weibull_bcdeter = list(data = "bcdeter", baseline = "weibull", upper = "upper",
                         parameters = list(intercept = -6.3, shape = 1.65, coefficient = list(treat = 0.9)))
)
rows <- lapply(cases, case_rows)

# ---- is it right? -----------------------------------------------------------------------------------------------------

close_to <- function(a, b, tolerance = 1e-10) {
  stopifnot(length(a) == length(b), all(is.finite(a)), all(abs(a - b) <= tolerance * (1 + abs(b))))
}
numeric_integral <- function(f, to, breaks) {  # piece by piece, so that no jump lies inside a piece
  ends <- sort(unique(c(0, breaks[breaks < to], to)))
  sum(mapply(function(a, b) integrate(f, a, b, rel.tol = 1e-12)$value, head(ends, -1), tail(ends, -1)))
}
for (case in cases) {  # H0 is the integral of h0
  p <- case$parameters
  baseline <- baselines[[case$baseline]](p)
  for (t in c(0.3, 4, 11, 24, 31)) {
    tolerance <- if (case$baseline == "weibull") 1e-7 else 1e-10  # the hazard is infinite at 0 when shape < 1
    close_to(numeric_integral(function(u) exp(baseline$log_hazard(u)), t, c(p$cuts, p$knots, p$boundary)),
             baseline$cumulative_hazard(t), tolerance)
  }
}
for (i in 1:7) close_to(numeric_integral(function(u) mspline_basis(u, knots, 24)[, i], 24, knots), 1)
close_to(as.vector(mspline_basis(c(0, 2, 13, 24, 40), knots, 24) %*% constant_hazard_weights(knots, 24)), rep(1 / 24, 5))

# A flat hazard is an exponential.
close_to(rows$gompertz_mixed_flat, rows$exponential_mixed)
close_to(rows$mspline_mixed_flat, rows$exponential_mixed)

# R's own Weibull, row by row.
with_r_weibull <- function(data, p, linear, entry, upper) {
  scale <- exp(-(p$intercept + linear) / p$shape)
  tail <- function(t) pweibull(t, p$shape, scale, lower.tail = FALSE)
  exact <- data$event == 1 & (is.na(upper) | upper == data$time)
  log(ifelse(exact, dweibull(data$time, p$shape, scale),
             tail(data$time) - ifelse(data$event == 1, tail(upper), 0)) / tail(entry))
}
for (name in c("weibull_mixed", "weibull_mixed_decreasing")) {
  data <- read_data("mixed")
  p <- cases[[name]]$parameters
  close_to(with_r_weibull(data, p, fixed_part(data, p$coefficient), data$entry, data$upper), rows[[name]], 1e-8)
}
data <- read_data("channing")
p <- cases$weibull_channing$parameters
close_to(with_r_weibull(data, p, fixed_part(data, p$coefficient), data$entry, NA * data$time), rows$weibull_channing, 1e-9)

# survreg's log-likelihood where it stands still. Its coefficients are -(b / shape), its scale is 1 / shape.
at_fixed <- function(outcome, terms, data, p, distribution, offset = 0) {
  shape <- if (is.null(p$shape)) 1 else p$shape
  data$shift <- -offset / shape
  formula <- reformulate(c(terms, "offset(shift)"), response = outcome)
  start <- -unlist(c(p$intercept, p$coefficient[terms])) / shape
  fit <- suppressWarnings(survreg(formula, data, dist = distribution, init = start, scale = 1 / shape,
                                  control = survreg.control(maxiter = 0)))
  close_to(unname(coef(fit)), unname(start))
  fit$loglik[2]
}
right <- quote(Surv(time, event))
veteran_data <- read_data("veteran")
close_to(at_fixed(right, names(five), veteran_data, cases$exponential_veteran$parameters, "exponential"),
         sum(rows$exponential_veteran))
close_to(at_fixed(right, names(five), veteran_data, cases$weibull_veteran$parameters, "weibull"),
         sum(rows$weibull_veteran))
lung_data <- read_data("lung")
p <- cases$weibull_lung_groups$parameters
close_to(at_fixed(right, c("age10", "female"), lung_data, p, "weibull", unlist(p$group_effect[[1]])[lung_data$inst]),
         sum(rows$weibull_lung_groups))
# survreg takes NA for an open end.
bcdeter_data <- transform(read_data("bcdeter"), lower = ifelse(time == 0, NA, time))
interval <- quote(Surv(lower, upper, type = "interval2"))
close_to(at_fixed(interval, "treat", bcdeter_data, cases$weibull_bcdeter$parameters, "weibull"), sum(rows$weibull_bcdeter))

# ---- write ------------------------------------------------------------------------------------------------------------

write_table(do.call(rbind, lapply(names(cases), function(name) data.frame(
  case = name, data = cases[[name]]$data, row = seq_along(rows[[name]]), log_likelihood = rows[[name]]
))), "log_likelihood.csv")
write_json(cases, "log_likelihood_parameters.json")
cat("log-likelihoods written and checked\n")
