# Kaplan-Meier, quantiles, restricted means, log-rank, cumulative incidence and Gray's test:
#   Rscript scripts/reference/survival.R     # from the repository root
# writes tests/reference/survival_*.csv and data/bmt.csv, data/mgus.csv.
# Cumulative incidence and its variance are those of etm (Greenwood's for the transition matrix), Gray's tests those of cmprsk.
suppressMessages({
  library(survival)
  library(cmprsk)
  library(etm)
})

folder <- "tests/reference"
number <- function(x) ifelse(is.na(x), "", formatC(x, digits = 15, format = "g", width = 1))
write_table <- function(table, name) {
  cells <- lapply(table, function(x) if (is.double(x)) number(x) else as.character(x))
  rows <- do.call(paste, c(cells, sep = ","))
  writeLines(c(paste(names(table), collapse = ","), rows), file.path(folder, name))
}
read_data <- function(name) read.csv(file.path(folder, "data", paste0(name, ".csv")))
stack <- function(parts) do.call(rbind, unname(parts))

# Bone marrow transplants (Klein and Moeschberger): relapse or death in remission, in months.
data(bmt, package = "KMsurv")
cause <- with(bmt, ifelse(d2 == 1, "relapse", ifelse(d3 == 1, "death", "")))
write_table(data.frame(time = round(bmt$t2 / 30.4375, 8), cause = cause, group = bmt$group, mtx = bmt$z10), "data/bmt.csv")

# Monoclonal gammopathy from age 60 on: years of age, progression to myeloma or death before; the first 400 patients.
kept <- head(subset(mgus2, age >= 60 & ptime > 0), 400)
cause <- with(kept, ifelse(pstat == 1, "myeloma", ifelse(death == 1, "death", "")))
write_table(with(kept, data.frame(entry = as.integer(age), time = round(age + ptime / 12, 8), cause = cause,
                                  male = as.integer(sex == "M"))), "data/mgus.csv")

veteran <- read_data("veteran")
lung <- read_data("lung")
kidney <- read_data("kidney")
ovarian <- read_data("ovarian")
channing <- read_data("channing")
bmt <- read_data("bmt")
bmt$event <- as.integer(bmt$cause != "")
mgus <- read_data("mgus")

# --- Kaplan-Meier ---

groups <- list(
  veteran_0 = subset(veteran, trt == 0), veteran_1 = subset(veteran, trt == 1),
  lung_0 = subset(lung, female == 0), lung_1 = subset(lung, female == 1),
  kidney = kidney, ovarian_0 = subset(ovarian, rx2 == 0), ovarian_1 = subset(ovarian, rx2 == 1),
  channing_0 = subset(channing, male == 0), channing_1 = subset(channing, male == 1),
  bmt_1 = subset(bmt, group == 1), bmt_2 = subset(bmt, group == 2), bmt_3 = subset(bmt, group == 3),
  ovarian_censored = transform(ovarian, event = 0)
)
follow_up <- function(d, event) if (is.null(d$entry)) Surv(d$time, event) else Surv(d$entry, d$time, event)
fitted <- function(d, interval, event = d$event) survfit(follow_up(d, event) ~ 1, conf.type = interval)

curve <- function(case) {
  found <- lapply(c(plain = "plain", log = "log", log_log = "log-log"), function(i) summary(fitted(groups[[case]], i)))
  if (!length(found$plain$time)) return(NULL)
  with(found, data.frame(case = case, time = plain$time, survival = plain$surv, standard_error = plain$std.err,
                         plain_lower = plain$lower, plain_upper = plain$upper, log_lower = log$lower,
                         log_upper = log$upper, log_log_lower = log_log$lower, log_log_upper = log_log$upper))
}
write_table(stack(lapply(names(groups), curve)), "survival_curves.csv")

quantiles <- function(case, interval, reverse) {
  d <- groups[[case]]
  found <- quantile(fitted(d, interval, if (reverse) 1 - d$event else d$event), c(0.25, 0.5, 0.75))
  data.frame(case = case, reverse = as.integer(reverse), interval = interval, probability = c(0.25, 0.5, 0.75),
             estimate = found$quantile, lower = found$lower, upper = found$upper)
}
asked <- expand.grid(case = names(groups), interval = c("plain", "log", "log-log"), reverse = c(FALSE, TRUE),
                     stringsAsFactors = FALSE)
write_table(stack(Map(quantiles, asked$case, asked$interval, asked$reverse)), "survival_quantiles.csv")

mean_to <- function(case, horizon) {
  found <- summary(fitted(groups[[case]], "plain"), rmean = horizon)$table[c("rmean", "se(rmean)")]
  data.frame(case = case, horizon = horizon, estimate = found[[1]], standard_error = found[[2]])
}
write_table(rbind(mean_to("veteran_0", 12), mean_to("veteran_1", 24), mean_to("kidney", 15), mean_to("ovarian_0", 36),
                  mean_to("ovarian_1", 30), mean_to("bmt_3", 60)), "survival_means.csv")

# --- Tests ---

row <- function(case, test, statistic, df) {
  data.frame(case = case, test = test, statistic = statistic, degrees_of_freedom = as.integer(df),
             p = pchisq(statistic, df, lower.tail = FALSE))
}
log_rank <- function(case, test, formula, data, ...) {
  found <- survdiff(formula, data, ...)
  row(case, test, found$chisq, length(found$n) - 1)
}
# Exact ties make the score test of Cox the log-rank test.
score <- function(case, test, formula, data) {
  row(case, test, coxph(formula, data, method = "exact", control = coxph.control(iter.max = 0))$score, 1)
}
gray <- function(case, test, time, cause, group, ...) {
  found <- cuminc(time, cause, group, ..., cencode = "")$Tests
  row(case, paste0(test, "_", rownames(found)), found[, "stat"], found[, "df"])
}
no_events <- transform(ovarian, event = event * (1 - rx2))
no_relapse <- transform(bmt, cause = ifelse(group == 2 & cause == "relapse", "", cause))
write_table(rbind(
  log_rank("veteran", "log-rank", Surv(time, event) ~ celltype, veteran),
  log_rank("veteran", "stratified", Surv(time, event) ~ trt + strata(celltype), veteran),
  log_rank("lung", "stratified", Surv(time, event) ~ female + strata(inst), lung),
  log_rank("lung", "fleming-harrington 1", Surv(time, event) ~ female, lung, rho = 1),
  log_rank("kidney", "fleming-harrington 0.5", Surv(time, event) ~ female, kidney, rho = 0.5),
  log_rank("bmt", "fleming-harrington 1 stratified", Surv(time, event) ~ group + strata(mtx), bmt, rho = 1),
  log_rank("ovarian_no_events", "log-rank", Surv(time, event) ~ rx2, no_events),
  score("channing", "stratified", Surv(entry, time, event) ~ male + strata(entry > 15), channing),
  score("veteran", "trend", Surv(time, event) ~ as.integer(factor(celltype)), veteran),
  score("bmt", "trend", Surv(time, event) ~ group, bmt),
  with(bmt, gray("bmt", "gray", time, cause, group)),
  with(bmt, gray("bmt", "gray_stratified", time, cause, group, strata = mtx)),
  with(no_relapse, gray("bmt_no_relapse", "gray", time, cause, group)),
  with(mgus, gray("mgus", "gray", round(12 * (time - entry)), cause, male)),
  with(mgus, gray("mgus", "gray_stratified", round(12 * (time - entry)), cause, male, strata = entry >= 70))
), "survival_tests.csv")

# --- Cumulative incidence ---

incidence <- function(case, d) {
  follow <- if (is.null(d$entry)) Surv(d$time, d$cause != "") else Surv(d$entry, d$time, d$cause != "")
  d$cause[d$cause == ""] <- "0"
  fit <- etmCIF(follow ~ 1, d, etype = cause, failcode = sort(setdiff(unique(d$cause), "0")))
  stack(lapply(sort(setdiff(unique(d$cause), "0")), function(cause) {
    bounds <- lapply(c(linear = "linear", log_log = "log-log"), function(f) summary(fit, ci.fun = f)[[1]][[paste("CIF", cause)]])
    found <- bounds$linear[bounds$linear$n.event > 0, ]
    log_log <- bounds$log_log[bounds$linear$n.event > 0, ]
    data.frame(case = case, cause = cause, time = found$time, incidence = found$P, standard_error = sqrt(found$var),
               plain_lower = found$lower, plain_upper = found$upper, log_log_lower = log_log$lower, log_log_upper = log_log$upper)
  }))
}
write_table(rbind(incidence("bmt_1", subset(bmt, group == 1)), incidence("bmt_2", subset(bmt, group == 2)),
                  incidence("bmt_3", subset(bmt, group == 3)), incidence("mgus", mgus)), "survival_incidence.csv")
