# Log-rank tests, concordance and Brier scores of fixed predictions.
# Delayed entry: the score test of coxph, with exact ties the log-rank test. Brier scores: rttright's weights,
# which hand the weight of each censored patient to those at risk after.

library(survival)

veteran <- read_data("veteran")
lung <- read_data("lung")
channing <- read_data("channing")
channing_untied <- channing
channing_untied$time <- channing$time + seq_len(nrow(channing)) * 1e-6

log_rank <- function(case, formula, table) {
  test <- survdiff(formula, table)
  data.frame(case = case, quantity = c("statistic", "first_expected", "first_variance"),
             value = c(test$chisq, test$exp[1], test$var[1, 1]))
}
score <- function(case, table) {
  fit <- coxph(Surv(entry, time, event) ~ male, table, method = "exact")
  data.frame(case = case, quantity = "statistic", value = fit$score)
}
agreement <- function(case, formula, table, ...) {
  data.frame(case = case, quantity = "concordance", value = concordance(formula, table, reverse = TRUE, ...)$concordance)
}
brier <- function(case, time, event, predicted, at) {
  weight <- rttright(Surv(time, event) ~ 1, times = at)
  data.frame(case = case, quantity = sprintf("brier_%g", at), value = sum(weight * ((time > at) - predicted)^2) / sum(weight))
}

veteran$risk <- -veteran$karno10 + 0.3 * veteran$trt
lung$risk <- lung$age10 - lung$female
channing$risk <- channing$male
last <- 12
write_table(rbind(
  log_rank("veteran_trt", Surv(time, event) ~ trt, veteran),
  log_rank("veteran_celltype", Surv(time, event) ~ celltype, veteran),
  log_rank("lung_female", Surv(time, event) ~ female, lung),
  score("channing_male", channing),
  score("channing_male_untied", channing_untied),
  agreement("veteran", Surv(time, event) ~ risk, veteran),
  agreement("lung", Surv(time, event) ~ risk, lung),
  agreement("channing", Surv(entry, time, event) ~ risk, channing),
  agreement("lung_uno", Surv(time, event) ~ risk, lung, timewt = "n/G2", ymax = last),
  agreement("veteran_uno", Surv(time, event) ~ risk, veteran, timewt = "n/G2", ymax = last),
  brier("lung", lung$time, lung$event, exp(-0.06 * exp(0.2 * lung$risk) * 6), 6),
  brier("lung", lung$time, lung$event, exp(-0.06 * exp(0.2 * lung$risk) * 12), 12),
  brier("lung", lung$time, lung$event, exp(-0.06 * exp(0.2 * lung$risk) * 24), 24)
), "checks.csv")
