# P values of contingency tables, those of the paper among them, and of numbers by their ranks; standardised differences:
#   Rscript scripts/reference/contingency.R     # from the repository root; writes tests/reference/contingency.csv
# By R's stats and coin; mid-P, exact Pearson and Barnard by plain enumeration.
suppressMessages(library(coin))

of <- function(...) matrix(c(...), ncol = 2, byrow = TRUE)
arms <- function(first, second, of = c(27, 34)) {
  matrix(c(first, second, of[1] - first, of[2] - second), ncol = 2, byrow = TRUE)
}

# Table 1 and Table 2 of Wang et al., typed from the paper a second time; columns are CTI2 and non-CTI2.
tables <- list(
  "sex" = of(15, 21, 12, 13),
  "diagnosis" = of(23, 30, 2, 2, 1, 1, 1, 1),
  "stage >= III at onset" = arms(24, 33),
  "IPI >= 3 at onset" = arms(19, 20),
  "bulky disease at onset" = arms(7, 5),
  "TP53 disruption" = arms(12, 8),
  "double hit" = arms(1, 7),
  "bone marrow involved" = arms(10, 6),
  "central nervous system involved" = arms(2, 7),
  "HSCT before CTI1" = arms(5, 6),
  "HSCT bridging CTI1" = arms(6, 7),
  "best response to CTI1" = of(6, 10, 8, 10, 13, 14),
  "failure of CTI1" = of(14, 20, 13, 14),
  "response at day 30" = arms(8, 2),
  "neutropenia, grade III/IV" = arms(21, 22),
  "anaemia, grade III/IV" = arms(15, 17),
  "thrombocytopenia, grade III/IV" = arms(14, 14),
  "hepatotoxicity, grade >= 2" = arms(3, 2),
  "nephrotoxicity, grade >= 2" = arms(1, 0),
  "cardiotoxicity, grade >= 2" = arms(0, 1),
  "cytokine release syndrome" = of(6, 8, 12, 13, 6, 7, 3, 6),
  "neurotoxicity, grade >= 2" = arms(1, 1),
  "infection, grade >= 3" = arms(18, 12),
  "type of infection" = of(9, 10, 4, 1, 3, 1, 2, 0),
  "death with infection, of deaths" = arms(13, 4, c(22, 19)),
  "hypogammaglobulinaemia (IgG < 400 mg/dL)" = arms(8, 4, c(19, 25)),
  "deaths" = arms(22, 19),
  "death with infection, of patients" = arms(13, 4),
  "death with infection, of infected" = arms(13, 4, c(18, 12)),
  # Others
  "tea" = of(3, 1, 1, 3),
  "large" = of(120, 90, 60, 95),
  "job satisfaction" = unname(apply(jobsatisfaction, 1:2, sum)),
  "three by three" = matrix(c(4, 1, 0, 2, 5, 3, 0, 2, 7), 3),
  "wide" = matrix(c(5, 1, 2, 0, 3, 4, 1, 6, 2, 2), 2)
)

# Every table of these margins: its log probability (up to a constant) and Pearson's statistic.
enumerated <- function(table) {
  expected <- outer(rowSums(table), colSums(table)) / sum(table)
  found <- list()
  fill <- function(rows, room) {
    if (length(rows) == nrow(table)) {
      if (all(room == 0)) {
        cells <- do.call(rbind, rows)
        found[[length(found) + 1]] <<- c(-sum(lfactorial(cells)), sum((cells - expected)^2 / expected))
      }
      return(invisible())
    }
    total <- rowSums(table)[length(rows) + 1]
    ways <- as.matrix(expand.grid(lapply(pmin(room[-1], total), seq, from = 0)))
    first <- total - rowSums(ways)
    for (i in which(first >= 0 & first <= room[1])) {
      row <- c(first[i], ways[i, ])
      fill(c(rows, list(row)), room - row)
    }
  }
  fill(list(), colSums(table))
  do.call(rbind, found)
}
conditional <- function(table) {
  all <- enumerated(table)
  p <- exp(all[, 1] - max(all[, 1])); p <- p / sum(p)
  own <- -sum(lfactorial(table))
  expected <- outer(rowSums(table), colSums(table)) / sum(table)
  c("Fisher mid-P" = sum(p[all[, 1] < own - 1e-7]) + sum(p[abs(all[, 1] - own) <= 1e-7]) / 2,
    "exact Pearson" = sum(p[all[, 2] > sum((table - expected)^2 / expected) - 1e-7]))
}

# Barnard's test, groups in columns: the largest probability, over the common share, of a score as extreme.
barnard <- function(table, pooled) {
  n <- colSums(table)
  grid <- expand.grid(a = 0:n[1], b = 0:n[2])
  score <- function(a, b) {
    p <- a / n[1]; q <- b / n[2]; r <- (a + b) / sum(n)
    variance <- if (pooled) r * (1 - r) * sum(1 / n) else p * (1 - p) / n[1] + q * (1 - q) / n[2]
    ifelse(p == q, 0, (p - q) / sqrt(variance))
  }
  extreme <- grid[abs(score(grid$a, grid$b)) >= abs(score(table[1, 1], table[1, 2])) - 1e-9, ]
  chance <- function(share) sum(dbinom(extreme$a, n[1], share) * dbinom(extreme$b, n[2], share))
  shares <- seq(0, 1, length.out = 2001)
  best <- shares[which.max(vapply(shares, chance, 0))]
  optimize(chance, pmin(pmax(best + c(-1, 1) / 1000, 0), 1), maximum = TRUE, tol = 1e-12)$objective
}

p_values <- function(table) {
  pearson <- suppressWarnings(chisq.test(table, correct = FALSE))
  cells <- as.data.frame(as.table(table))
  long <- cells[rep(seq_len(nrow(cells)), cells$Freq), ]
  row <- as.numeric(long$Var1); column <- as.numeric(long$Var2)
  positive <- table > 0
  ratio <- 2 * sum(table[positive] * log((table / pearson$expected)[positive]))
  p <- c("Pearson" = pearson$p.value,
         "likelihood ratio" = pchisq(ratio, pearson$parameter, lower.tail = FALSE),
         "(N-1) chi-squared" = pvalue(independence_test(Var1 ~ Var2, long, teststat = "quadratic")),
         "linear-by-linear" = pvalue(independence_test(row ~ column, teststat = "quadratic")),
         "rank sum" = kruskal.test(row, column)$p.value,
         "Fisher" = fisher.test(table, workspace = 2e7)$p.value)
  if (sum(table) <= 100) p <- c(p, conditional(table))
  if (all(dim(table) == 2)) {
    p <- c(p, "Yates" = suppressWarnings(chisq.test(table))$p.value,
           "Barnard" = barnard(table, TRUE), "Barnard unpooled" = barnard(table, FALSE))
  }
  p
}

found <- do.call(rbind, lapply(names(tables), function(name) {
  table <- tables[[name]]
  p <- p_values(table)
  data.frame(table = name, counts = paste(apply(table, 1, paste, collapse = " "), collapse = ";"),
             test = names(p), value = formatC(unname(p), digits = 15, format = "g", width = 1))
}))

# Numbers with ties: veterans' diagnosis times by treatment and by cell type.
veteran <- read.csv("tests/reference/data/veteran.csv")
ranks <- c("trt" = wilcox.test(diagtime10 ~ trt, veteran, exact = FALSE, correct = FALSE)$p.value,
           "celltype" = kruskal.test(diagtime10 ~ celltype, veteran)$p.value)
found <- rbind(found, data.frame(table = paste("veteran", names(ranks)), counts = "", test = "rank sum of numbers",
                                 value = formatC(unname(ranks), digits = 15, format = "g", width = 1)))

# Standardised differences between the veterans' treatments, the second less the first.
shares <- function(x) prop.table(table(x, veteran$trt), 2)[-1, , drop = FALSE]
spread <- function(p) diag(p, length(p)) - tcrossprod(p)
distance <- function(x) {
  p <- shares(x)
  sqrt(mahalanobis(p[, 2] - p[, 1], 0, (spread(p[, 1]) + spread(p[, 2])) / 2))
}
ages <- split(veteran$age10, veteran$trt)
smd <- c("age10" = (mean(ages[[2]]) - mean(ages[[1]])) / sqrt((var(ages[[1]]) + var(ages[[2]])) / 2),
         "celltype" = distance(veteran$celltype),
         "prior" = distance(veteran$prior) * sign(diff(shares(veteran$prior)[1, ]))[[1]])
found <- rbind(found, data.frame(table = paste("veteran", names(smd)), counts = "", test = "standardised difference",
                                 value = formatC(unname(smd), digits = 15, format = "g", width = 1)))
quoted <- function(x) ifelse(grepl(",", x), paste0('"', x, '"'), x)
found[] <- lapply(found, quoted)
write.csv(found, "tests/reference/contingency.csv", row.names = FALSE, quote = FALSE)
