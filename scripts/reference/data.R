# The data sets, written as used: covariates in sensible units, rows with a missing value dropped.
# Each is written to tests/reference/data/ and read back from there, so that R and Python see the same digits.

library(survival)

month <- 30.4375  # days

write_data <- function(table, name) {
  needed <- setdiff(names(table), "upper")
  table <- table[complete.cases(table[needed]), ]
  table[] <- lapply(table, function(x) if (is.numeric(x)) round(x, 8) else x)
  write_table(table, file.path("data", paste0(name, ".csv")))
  cat(sprintf("%-10s %4d rows, %d events\n", name, nrow(table), sum(table$event)))
}

write_data(with(veteran, data.frame(
  time = time / month, event = status, trt = trt - 1, karno10 = (karno - 60) / 10, age10 = (age - 60) / 10,
  prior = prior / 10, diagtime10 = diagtime / 10, celltype = as.character(celltype)
)), "veteran")

# survival has its own `kidney` and `lung`, and so has KMsurv: these are survival's.
write_data(with(survival::kidney, data.frame(
  id = id, time = time / month, event = status, age10 = (age - 60) / 10, female = sex - 1
)), "kidney")

write_data(with(survival::lung, data.frame(
  time = time / month, event = status - 1, age10 = (age - 60) / 10, female = sex - 1,
  inst = ifelse(is.na(inst), NA, sprintf("i%02d", inst))
)), "lung")

write_data(with(survival::ovarian, data.frame(
  time = futime / month, event = fustat, age10 = (age - 60) / 10, rx2 = rx - 1, residual = resid.ds - 1
)), "ovarian")

# Channing House: years since age 60. Four people left in the month they came (entry == time).
data(channing, package = "KMsurv")
write_data(with(subset(channing, ageentry < age), data.frame(
  entry = (ageentry - 720) / 12, time = (age - 720) / 12, event = death, male = as.integer(gender == 1)
)), "channing")

# Breast cosmesis: months, deterioration seen in (time, upper]. lower == upper (two rows) is an exact time.
data(bcdeter, package = "KMsurv")
write_data(with(bcdeter, data.frame(
  time = lower, upper = upper, event = as.integer(!is.na(upper)), treat = treat - 1
)), "bcdeter")

# Made by hand: every kind of row, with and without delayed entry. `kind` is for reading only, except that an "exact"
# row leaves `upper` empty where an "exact_upper" row repeats the time. Times fall on the cuts (3, 6, 12), on the spline's
# knots (4, 9, 15), inside one interval, across several, and beyond the spline's boundary (24).
# Nothing can be left-censored after a known event-free entry: its counterpart is an interval that begins at entry.
write_data(read.csv(strip.white = TRUE, text = "
kind,              entry, time,   upper,  event, treat, age10
exact,             0,     0.25,   ,       1,     0,      0.3
exact,             0,     6,      ,       1,     1,     -1.2
exact,             0,     27.5,   ,       1,     1,      0.8
exact,             1.5,   4,      ,       1,     0,      0.5
exact,             25,    31,     ,       1,     1,     -0.4
exact_upper,       0,     3,      3,      1,     0,     -0.7
exact_upper,       0,     13.75,  13.75,  1,     1,      1.1
exact_upper,       6,     9,      9,      1,     1,      0.2
exact_upper,       2.25,  26,     26,     1,     0,     -1.5
right,             0,     0.5,    ,       0,     1,      0.9
right,             0,     12,     ,       0,     0,     -0.1
right,             0,     36,     ,       0,     1,      0.6
right,             3,     11.25,  ,       0,     0,      1.4
right,             14,    25,     ,       0,     1,     -0.8
interval,          0,     2,      2.75,   1,     0,      0.1
interval,          0,     5,      5.001,  1,     1,     -0.3
interval,          0,     3,      24,     1,     1,      1.6
interval,          0,     20,     30,     1,     0,     -1.1
interval,          1,     2,      13,     1,     0,      0.7
interval,          12,    15,     28,     1,     1,     -0.6
left,              0,     0,      0.5,    1,     1,      0.4
left,              0,     0,      7,      1,     0,     -0.9
left,              0,     0,      33,     1,     1,      1.3
interval_at_entry, 4,     4,      8,      1,     0,     -0.2
interval_at_entry, 25,    25,     26.5,   1,     1,      0.5
"), "mixed")
