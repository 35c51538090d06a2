# Time zero: Mantel-Byar, landmark, delayed entry, clone-censor-weight, and posteriors from Cox's partial likelihood.
#   Rscript scripts/reference/time_zero.R     # from the repository root; writes tests/reference/time_zero.csv
library(survival)

read_data <- function(name) read.csv(file.path("tests/reference/data", paste0(name, ".csv")))
found <- NULL
note <- function(case, quantity, value, time = NA)
  found <<- rbind(found, data.frame(case, quantity, time, value = unname(value)))

tight <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 100)
ratio <- function(case, fit) {
  note(case, "coefficient", coef(fit)[1])
  note(case, "standard_error", sqrt(vcov(fit)[1, 1]))
  note(case, "log_likelihood", fit$loglik[2])
}

# ---- Treatment from its start (Stanford heart transplants) ------------------------------------------------------------

heart <- read_data("heart")
ratio("heart", coxph(Surv(entry, time, event) ~ transplant, heart, control = tight))
# With exact ties, the score test of one 0/1 covariate is the log-rank test with its hypergeometric variance.
exact <- coxph(Surv(entry, time, event) ~ transplant, heart, ties = "exact", control = tight)
note("heart", "mantel_byar", exact$score)
note("heart", "mantel_byar_p", pchisq(exact$score, 1, lower.tail = FALSE))

# ---- Landmark and delayed entry ---------------------------------------------------------------------------------------

one <- do.call(rbind, lapply(split(heart, heart$id), function(rows) data.frame(
  id = rows$id[1], time = max(rows$time), event = max(rows$event), age10 = rows$age10[1],
  start = if (any(rows$transplant == 1)) rows$entry[rows$transplant == 1] else Inf)))
for (landmark in c(1, 2)) {
  later <- one[one$time > landmark, ]
  later$treated <- as.integer(later$start <= landmark)
  case <- paste0("heart_landmark_", landmark)
  ratio(case, coxph(Surv(time - landmark, event) ~ treated, later, control = tight))
  test <- survdiff(Surv(time - landmark, event) ~ treated, later)
  note(case, "log_rank", test$chisq)
  note(case, "patients", nrow(later))
  note(case, "events", sum(later$event))
}
channing <- read_data("channing")
for (age in c(15, 20)) {
  later <- channing[channing$time > age, ]
  later$entry <- pmax(later$entry, age)
  case <- paste0("channing_entry_", age)
  ratio(case, coxph(Surv(entry, time, event) ~ male, later, control = tight))
  note(case, "patients", nrow(later))
  note(case, "events", sum(later$event))
}

# ---- Clone, censor, weight: transplant within some months against none ------------------------------------------------

for (within in c(0.5, 1)) {
  started <- one$start <= within
  clones <- rbind(
    transform(one, treated = 0, leaves = ifelse(started, start, Inf)),
    transform(one, treated = 1, leaves = ifelse(started, Inf, within)))
  clones$event <- as.integer(clones$event & clones$time <= clones$leaves)
  clones$end <- pmin(clones$time, clones$leaves)
  starts <- survfit(Surv(pmin(time, start, within), start <= within & start <= time) ~ 1, one)
  not_started <- function(t) {  # just before t
    before <- which(starts$time < t - 1e-12)
    if (length(before)) starts$surv[max(before)] else 1
  }
  share <- mean(started[one$time > within])
  moments <- sort(unique(one$time[one$event == 1]))
  rows <- survSplit(Surv(end, event) ~ ., clones, cut = moments, start = "begin")
  rows$weight <- ifelse(rows$treated == 0, 1 / sapply(rows$end, not_started), ifelse(rows$end > within, 1 / share, 1))
  fit <- coxph(Surv(begin, end, event) ~ treated, rows, weights = rows$weight, ties = "breslow", control = tight)
  case <- paste0("heart_within_", within)
  note(case, "coefficient", coef(fit))
  for (treated in 0:1) {
    mine <- rows[rows$treated == treated, ]
    curve <- survfit(Surv(begin, end, event) ~ 1, mine, weights = mine$weight)
    note(case, paste0("survival_", treated), summary(curve, times = c(3, 12, 24))$surv, c(3, 12, 24))
    note(case, paste0("rmst_", treated), summary(curve, rmean = 24)$table["rmean"], 24)
  }
}

# ---- Posterior of a log hazard ratio: partial likelihood times Normal(0, sd), by integrate ----------------------------

posterior <- function(case, data, formula, sd) {
  log_posterior <- Vectorize(function(b) coxph(formula, data, init = b, control = coxph.control(iter.max = 0))$loglik[1] +
    dnorm(b, 0, sd, log = TRUE))
  top <- optimize(log_posterior, c(-4, 4), maximum = TRUE, tol = 1e-10)
  density <- function(b) exp(log_posterior(b) - top$objective)
  area <- function(low, high, f = density) integrate(f, low, high, rel.tol = 1e-11, subdivisions = 1000)$value
  low <- top$maximum - 4; high <- top$maximum + 4
  total <- area(low, top$maximum) + area(top$maximum, high)
  below <- function(end) area(low, end) / total
  note(case, "below_1", below(0), sd)
  for (p in c(0.025, 0.5, 0.975))
    note(case, paste0("q", 100 * p), uniroot(function(b) below(b) - p, c(low + 0.5, high - 0.5), tol = 1e-11)$root, sd)
}
for (sd in c(0.35, 0.75)) {
  posterior("heart", heart, Surv(entry, time, event) ~ transplant, sd)
  posterior("veteran", read_data("veteran"), Surv(time, event) ~ trt, sd)
}

found$value <- signif(found$value, 12)
write.csv(found, "tests/reference/time_zero.csv", row.names = FALSE, quote = FALSE)
