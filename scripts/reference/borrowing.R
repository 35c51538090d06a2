# Posteriors of a log hazard ratio under mixtures of normal priors, Box's prior predictive tail, and expected information:
#   Rscript scripts/reference/borrowing.R     # from the repository root; writes tests/reference/borrowing.csv
# By R's own quadrature and root finding; no closed form of a normal posterior is used.

xue <- list(mean = c(log(0.28), 0), sd = c(log(0.51 / 0.16) / 3.919928, 1), weight = c(0.5, 0.5))
cases <- list(
  unadjusted = c(estimate = 1.977 * 0.315, error = 0.315, xue),
  adjusted = c(estimate = log(1.665), error = 0.324, xue),
  agreeing = c(estimate = log(0.3), error = 0.31, xue),
  sceptical = list(estimate = -0.35, error = 0.25, mean = c(0.2, 0), sd = c(0.15, 0.75), weight = c(0.8, 0.2)),
  two = list(estimate = -0.2, error = 0.3, mean = log(c(0.28, 0.7, 1)), sd = c(0.3, 0.2, 1), weight = c(0.25, 0.25, 0.5))
)

solved <- function(name, case) {
  marks <- c(outer(c(-4, 0, 4), c(case$sd, case$error)) + rep(c(case$mean, case$estimate), each = 3))
  area <- function(f, to = 12) {
    points <- sort(unique(c(-12, marks[marks < to], to)))
    piece <- function(a, b) integrate(f, a, b, subdivisions = 5000, rel.tol = 1e-11)$value
    sum(mapply(piece, head(points, -1), tail(points, -1)))
  }
  summed <- function(f) Reduce(`+`, Map(f, case$weight, case$mean, case$sd))
  prior <- function(b) summed(function(w, m, s) w * dnorm(b, m, s))
  slope <- function(b) summed(function(w, m, s) w * dnorm(b, m, s) * (m - b) / s^2)
  likelihood <- function(b) dnorm(case$estimate, b, case$error)
  marginal <- mapply(function(m, s) area(function(b) dnorm(b, m, s) * likelihood(b)), case$mean, case$sd)
  total <- sum(case$weight * marginal)
  posterior <- function(b) prior(b) * likelihood(b) / total
  ratio <- function(p) exp(uniroot(function(at) area(posterior, at) - p, c(-6, 6), tol = 1e-12)$root)
  mean <- area(function(b) b * posterior(b))

  # How likely an estimate at least so far from the evidence was, before the data.
  spread <- sqrt(case$sd[1]^2 + case$error^2)
  far <- abs(case$estimate - case$mean[1])
  beyond <- integrate(function(y) dnorm(y, 0, spread), far, far + 20 * spread, rel.tol = 1e-11)$value

  values <- c(hazard_ratio = ratio(0.5), lower = ratio(0.025), upper = ratio(0.975), prob_benefit = area(posterior, 0),
              sd = sqrt(area(function(b) (b - mean)^2 * posterior(b))),
              information = area(function(b) slope(b)^2 / prior(b)),
              conflict_z = (case$estimate - case$mean[1]) / spread, conflict_tail = 2 * beyond)
  weights <- setNames(case$weight * marginal / total, paste0("weight_", seq_along(marginal)))
  data.frame(case = name, quantity = names(c(values, weights)), value = unname(c(values, weights)))
}

found <- do.call(rbind, Map(solved, names(cases), cases))
found$value <- formatC(found$value, digits = 12, format = "g", width = 1)
write.csv(found, "tests/reference/borrowing.csv", row.names = FALSE, quote = FALSE)
