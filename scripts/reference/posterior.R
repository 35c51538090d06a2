# Posteriors: posterior.csv, posterior_survival.csv and posterior_models.json.
#
# Stan draws every model, from one program with the baseline filled in. Its log-likelihood is then compared with the plain
# arithmetic of likelihood.R at some of its draws, and JAGS draws six of the models again with its own distributions
# (dweib, dinterval, dpois) and no code in common.

suppressPackageStartupMessages({
  library(rstan)
  library(rjags)
})
if (!file.exists(rstan_options("boost_lib"))) rstan_options(boost_lib = "/usr/include")  # where Debian keeps Boost

chains <- 4
least_ess <- 20000
seed <- 20261107
normal <- "Normal(0, 1)"
wide <- "Normal(0, 5)"

# ---- the models -------------------------------------------------------------------------------------------------------

spline_knots <- c(1, 3, 8)
spline_boundary <- 24
posterior_models <- list(
  weibull_5 = list(
    data = "veteran", formula = "trt + karno10 + age10 + prior + diagtime10", baseline = "weibull",
    priors = list(intercept = wide, shape = "LogNormal(0, 1)", coefficient = normal),
    profiles = list(list(trt = 0, karno10 = 0, age10 = 0, prior = 0, diagtime10 = 0.5),
                        list(trt = 1, karno10 = 2, age10 = 0.5, prior = 1, diagtime10 = 1)), times = c(1, 3, 12)),
  weibull_frailty = list(
    data = "kidney", formula = "age10 + female + (1|id)", baseline = "weibull",
    priors = list(intercept = wide, shape = "LogNormal(0, 1)", coefficient = normal, group_sd = "HalfNormal(1)"),
    group_effects = c("1|id[2]", "1|id[7]", "1|id[21]"),
    profiles = list(list(age10 = -1, female = 0), list(age10 = -2, female = 1)), times = c(1, 4, 12)),
  weibull_pooled = list(
    data = "lung", formula = "age10 + female + (1|inst)", baseline = "weibull",
    priors = list(intercept = wide, shape = "LogNormal(0, 1)", coefficient = normal, group_sd = "HalfNormal(0.5)"),
    group_effects = sprintf("1|inst[%s]", hospitals),
    profiles = list(list(age10 = 0, female = 0), list(age10 = 1, female = 1)), times = c(3, 12, 24)),
  piecewise_independent = list(
    data = "veteran", formula = "trt + karno10", baseline = "piecewise-exponential", cuts = c(1, 2, 4, 8),
    smoothing = "independent", priors = list(log_hazard = "Normal(-1, 2)", coefficient = normal),
    profiles = list(list(trt = 0, karno10 = 0), list(trt = 1, karno10 = 2)), times = c(1, 3, 12)),
  piecewise_random_walk = list(
    data = "veteran", formula = "trt + karno10", baseline = "piecewise-exponential", cuts = c(1, 2, 4, 8),
    smoothing = "random-walk",
    priors = list(log_hazard = "Normal(-1, 2)", smoothing_sd = "HalfNormal(0.5)", coefficient = normal),
    profiles = list(list(trt = 0, karno10 = 0), list(trt = 1, karno10 = 2)), times = c(1, 3, 12)),
  weibull_delayed_entry = list(
    data = "channing", formula = "male", baseline = "weibull", entry = "entry",
    priors = list(intercept = wide, shape = "LogNormal(0, 1)", coefficient = normal),
    profiles = list(list(male = 0), list(male = 1)), times = c(15, 25, 35)),
  weibull_interval = list(
    data = "bcdeter", formula = "treat", baseline = "weibull", upper = "upper",
    priors = list(intercept = wide, shape = "LogNormal(0, 1)", coefficient = normal),
    profiles = list(list(treat = 0), list(treat = 1)), times = c(12, 24, 36)),
  gompertz = list(
    data = "veteran", formula = "trt + karno10", baseline = "gompertz", scale = 4,
    priors = list(intercept = wide, slope = normal, coefficient = normal),
    profiles = list(list(trt = 0, karno10 = 0), list(trt = 1, karno10 = 2)), times = c(1, 3, 12)),
  exponential_varying_slope = list(
    data = "veteran", formula = "trt + (trt|celltype)", baseline = "exponential",
    priors = list(intercept = wide, coefficient = normal, group_sd = "HalfNormal(0.5)"),
    group_effects = as.vector(outer(c("1", "trt"), sort(unique(veteran_data$celltype)), sprintf, fmt = "%s|celltype[%s]")),
    profiles = list(list(trt = 0), list(trt = 1)), times = c(1, 3, 12)),
  mspline = list(
    data = "veteran", formula = "trt", baseline = "mspline", knots = spline_knots, boundary = spline_boundary,
    priors = list(intercept = wide, smoothing_sd = "HalfNormal(0.5)", coefficient = normal),
    profiles = list(list(trt = 0), list(trt = 1)), times = c(1, 6, 28))
)

# "a + b + (1|g)" -> fixed terms and group terms; (x|g) has an intercept and a slope, drawn independently.
read_formula <- function(formula) {
  parts <- strsplit(formula, " + ", fixed = TRUE)[[1]]
  grouped <- grepl("|", parts, fixed = TRUE)
  groups <- gsub("[()]", "", parts[grouped])
  slopes <- groups[!startsWith(groups, "1|")]
  list(terms = parts[!grouped], groups = unique(c(sub("^[^|]*", "1", groups), slopes)))
}
# One column per group and level: 1, or the covariate, in the rows of that level.
group_columns <- function(data, groups) {
  blocks <- lapply(groups, function(group) {
    parts <- strsplit(group, "|", fixed = TRUE)[[1]]
    level <- as.character(data[[parts[2]]])
    levels <- as.character(sort(unique(data[[parts[2]]])))
    multiplier <- if (parts[1] == "1") 1 else data[[parts[1]]]
    block <- multiplier * outer(level, levels, "==")
    colnames(block) <- sprintf("%s[%s]", group, levels)
    block
  })
  list(matrix = if (length(blocks)) do.call(cbind, blocks) else matrix(0, nrow(data), 0),
       group = rep(seq_along(groups), vapply(blocks, ncol, integer(1))))
}

# ---- Stan -------------------------------------------------------------------------------------------------------------

# A baseline fills in H0 at entry, time and upper, and log h0(time), for every row. The intercept mixes badly with the
# coefficients and the shape, so Stan moves `level`, the intercept plus a shift that centres covariates and time; the
# stated prior is put on the intercept itself (the shift does not stretch it, so no Jacobian).
stan_text <- "
data {
  int<lower=1> N; int<lower=0> P; int<lower=0> K; int<lower=0> G;
  vector[N] entry; vector[N] time; vector[N] latest;
  vector<lower=0, upper=1>[N] exact; int<lower=0> R; int<lower=1> interval_rows[R];
  matrix[N, P] X; matrix[N, K] Z; int<lower=1> group[K]; real<lower=0> group_scale;
  row_vector[P] x_centre; real<lower=0> time_centre;
  @data
}
parameters {
  vector[P] coefficient;
  vector<lower=0>[G] group_sd;
  vector[K] raw;
  @parameters
}
transformed parameters {
  vector[K] group_effect = group_sd[group] .* raw;
  real total = 0;  // log-likelihood
  @transformed
  {
    vector[N] log_h0; vector[N] H0_entry; vector[N] H0_time; vector[N] H0_latest;
    vector[N] eta = X * coefficient;
    vector[N] hazard_ratio;
    if (K > 0) eta += Z * group_effect;
    hazard_ratio = exp(eta);
    @hazard
    total += dot_product(hazard_ratio, H0_entry - H0_time) + dot_product(exact, log_h0 + eta);
    for (n in interval_rows) total += log1m_exp(-hazard_ratio[n] * (H0_latest[n] - H0_time[n]));
  }
}
model {
  coefficient ~ normal(0, 1);
  group_sd ~ normal(0, group_scale);
  raw ~ normal(0, 1);
  @priors
  target += total;
}
"
weibull_text <- list(
  data = "vector[N] log_entry; vector[N] log_time; vector[N] log_latest; vector[N] entered; vector[N] passed;",
  parameters = "real level; real<lower=0> shape;",
  transformed = "real intercept = level - x_centre * coefficient - shape * log(time_centre);",
  hazard = "
    log_h0 = intercept + log(shape) + (shape - 1) * log_time;
    H0_entry = entered .* exp(intercept + shape * log_entry);
    H0_time = passed .* exp(intercept + shape * log_time);
    H0_latest = exp(intercept + shape * log_latest);",
  priors = "target += normal_lpdf(intercept | 0, 5); shape ~ lognormal(0, 1);"
)
gompertz_text <- list(
  data = "real<lower=0> scale;",
  parameters = "real level; real slope;",
  transformed = "real intercept = level - x_centre * coefficient - slope * time_centre / scale;",
  hazard = "
    log_h0 = intercept + slope / scale * time;
    H0_entry = exp(intercept) * scale / slope * expm1(slope / scale * entry);
    H0_time = exp(intercept) * scale / slope * expm1(slope / scale * time);
    H0_latest = exp(intercept) * scale / slope * expm1(slope / scale * latest);",
  priors = "target += normal_lpdf(intercept | 0, 5); slope ~ normal(0, 1);"
)
# Hazards that are sums of known functions of time, h0(t) = sum_j v_j at_j(t): exponential, piecewise and spline.
sum_text <- list(
  data = "int<lower=1> J; matrix[N, J] at_time; matrix[N, J] to_entry; matrix[N, J] to_time; matrix[N, J] to_latest;",
  hazard = "
    log_h0 = log(at_time * v);
    H0_entry = to_entry * v;
    H0_time = to_time * v;
    H0_latest = to_latest * v;"
)
exponential_text <- c(sum_text, list(
  parameters = "real level;",
  transformed = "
    real intercept = level - x_centre * coefficient;
    vector[J] v = rep_vector(exp(intercept), J);",
  priors = "target += normal_lpdf(intercept | 0, 5);"
))
independent_text <- c(sum_text, list(
  parameters = "vector[J] log_hazard;",
  transformed = "vector[J] v = exp(log_hazard);",
  priors = "log_hazard ~ normal(-1, 2);"
))
random_walk_text <- c(sum_text, list(
  parameters = "real first; vector[J - 1] jump; real<lower=0> smoothing_sd;",
  transformed = "
    vector[J] log_hazard = first + append_row(0, cumulative_sum(smoothing_sd * jump));
    vector[J] v = exp(log_hazard);",
  priors = "first ~ normal(-1, 2); jump ~ normal(0, 1); smoothing_sd ~ normal(0, 0.5);"
))
mspline_text <- c(sum_text, list(
  parameters = "real level; vector[J - 1] jump; real<lower=0> smoothing_sd;",
  transformed = "
    real intercept = level - x_centre * coefficient;
    vector[J] weights = softmax(base + append_row(0, cumulative_sum(smoothing_sd * jump)));
    vector[J] v = exp(intercept) * weights;",
  priors = "target += normal_lpdf(intercept | 0, 5); jump ~ normal(0, 1); smoothing_sd ~ normal(0, 0.5);"
))
mspline_text$data <- paste(mspline_text$data, "vector[J] base;")
stan_pieces <- list(
  "exponential" = exponential_text, "weibull" = weibull_text, "gompertz" = gompertz_text, "mspline" = mspline_text,
  "independent" = independent_text, "random-walk" = random_walk_text
)
compiled <- list()
compiled_program <- function(model) {
  kind <- if (is.null(model$smoothing)) model$baseline else model$smoothing
  if (is.null(compiled[[kind]])) {
    text <- stan_text
    for (piece in c("data", "parameters", "transformed", "hazard", "priors")) {
      text <- sub(paste0("@", piece), paste(stan_pieces[[kind]][[piece]], ""), text, fixed = TRUE)
    }
    compiled[[kind]] <<- stan_model(model_code = text)
  }
  compiled[[kind]]
}

stan_data <- function(model) {
  data <- read_data(model$data)
  parts <- read_formula(model$formula)
  zero <- 0 * data$time
  entry <- if (is.null(model$entry)) zero else data[[model$entry]]
  upper <- if (is.null(model$upper)) data$time else data[[model$upper]]
  upper <- ifelse(is.na(upper), data$time, upper)
  X <- as.matrix(data[parts$terms])
  Z <- group_columns(data, parts$groups)
  died <- data$event == 1
  waited <- died & upper > data$time  # interval-censored
  result <- list(
    N = nrow(data), P = ncol(X), K = ncol(Z$matrix), G = length(parts$groups), entry = entry, time = data$time,
    latest = upper, exact = as.numeric(died & upper == data$time), R = sum(waited), interval_rows = as.array(which(waited)),
    X = X, Z = Z$matrix,
    group = as.array(Z$group), group_scale = prior_number(model$priors$group_sd),
    x_centre = as.array(colMeans(X[died, , drop = FALSE])), time_centre = exp(mean(log((data$time + upper)[died] / 2)))
  )
  if (!is.null(model$scale)) result$scale <- model$scale
  if (model$baseline == "weibull") {  # log(0) is kept out of Stan: its derivative is not a number
    log_or_0 <- function(t) log(ifelse(t > 0, t, 1))
    result <- c(result, list(log_entry = log_or_0(entry), entered = as.numeric(entry > 0), log_time = log_or_0(data$time),
                             passed = as.numeric(data$time > 0), log_latest = log(upper)))
  }
  basis <- switch(model$baseline,
    "exponential" = list(function(t) cbind(1 + 0 * t), function(t) cbind(t)),
    "piecewise-exponential" = list(
      function(t) 1 * outer(interval_of(t, model$cuts), seq_len(length(model$cuts) + 1), "=="),
      function(t) exposure(t, model$cuts)),
    "mspline" = list(
      function(t) mspline_basis(t, model$knots, model$boundary),
      function(t) mspline_integral(t, model$knots, model$boundary)))
  if (!is.null(basis)) {
    result <- c(result, list(J = ncol(basis[[1]](1)), at_time = basis[[1]](data$time), to_entry = basis[[2]](entry),
                             to_time = basis[[2]](data$time), to_latest = basis[[2]](upper)))
  }
  if (model$baseline == "mspline") {
    flat <- constant_hazard_weights(model$knots, model$boundary)
    result$base <- log(flat / flat[1])
  }
  result
}
prior_number <- function(prior) if (is.null(prior)) 1 else as.numeric(gsub("[^0-9.]", "", prior))

# Draws as an array (iteration, chain, parameter), under bayesurv's names; `total` is the log-likelihood.
stan_draws <- function(model, draws, adapt_delta) {
  data <- stan_data(model)
  parts <- read_formula(model$formula)
  program <- compiled_program(model)
  wanted <- switch(model$baseline,
    "exponential" = "intercept", "weibull" = c("intercept", "shape"), "gompertz" = c("intercept", "slope"),
    "piecewise-exponential" = c("log_hazard", if (model$smoothing == "random-walk") "smoothing_sd"),
    "mspline" = c("intercept", "smoothing_sd", "weights"))
  wanted <- c(wanted, "coefficient", if (data$K > 0) c("group_sd", "group_effect"), "total")
  fit <- sampling(program, data, pars = wanted, chains = chains, warmup = 1500, iter = 1500 + draws / chains, cores = 1,
                  seed = seed, refresh = 0, control = list(adapt_delta = adapt_delta, max_treedepth = 12))
  stopifnot(get_num_divergent(fit) == 0, get_num_max_treedepth(fit) == 0)
  result <- extract(fit, pars = wanted, permuted = FALSE)
  stem <- sub("\\[.*", "", dimnames(result)[[3]])
  dimnames(result)[[3]][stem == "coefficient"] <- sprintf("coefficient[%s]", parts$terms)
  dimnames(result)[[3]][stem == "group_sd"] <- sprintf("group_sd[%s]", parts$groups)
  dimnames(result)[[3]][stem == "group_effect"] <- sprintf("group_effect[%s]", colnames(data$Z))
  result
}

# ---- JAGS -------------------------------------------------------------------------------------------------------------

# The second engine, for the models it can state with its own distributions. Covariates and time are centred for mixing
# and `intercept` moved back. A censored time is missing, and dinterval says where it lies.
jags_weibull <- function(group = "", group_sd = 1) paste0("model {
  for (i in 1:N) {
    time[i] ~ dweib(shape, exp(level - shape * log(time_centre) + inprod(X[i, ] - x_centre, coefficient)", if (group != "") " + effect[group[i]]", "))
    state[i] ~ dinterval(time[i], limits[i, ])
  }
  shift <- inprod(x_centre, coefficient) + shape * log(time_centre)
  level ~ dnorm(shift, 1 / 25)
  intercept <- level - shift
  shape ~ dlnorm(0, 1)
  for (p in 1:P) { coefficient[p] ~ dnorm(0, 1) }
", if (group != "") paste0("
  for (g in 1:G) { effect[g] ~ dnorm(0, pow(group_sd, -2)) }
  group_sd ~ dnorm(0, ", group_sd^-2, ") T(0, )
"), "}")
jags_piecewise <- function(log_hazard) paste0("model {
  for (k in 1:N) { died[k] ~ dpois(spent[k] * exp(log_hazard[piece[k]] + inprod(X[k, ], coefficient))) }
  for (p in 1:P) { coefficient[p] ~ dnorm(0, 1) }
", log_hazard, "}")
jags_independent <- jags_piecewise("
  for (j in 1:J) { log_hazard[j] ~ dnorm(-1, 1 / 4) }
")
jags_random_walk <- jags_piecewise("
  log_hazard[1] ~ dnorm(-1, 1 / 4)
  for (j in 2:J) { log_hazard[j] ~ dnorm(log_hazard[j - 1], pow(smoothing_sd, -2)) }
  smoothing_sd ~ dnorm(0, 4) T(0, )
")
jags_varying_slope <- "model {
  for (k in 1:N) { died[k] ~ dpois(spent[k] * exp(level[group[k]] + X[k, 1] * slope[group[k]])) }
  for (g in 1:G) {
    level[g] ~ dnorm(intercept, pow(group_sd[1], -2))
    slope[g] ~ dnorm(coefficient, pow(group_sd[2], -2))
  }
  intercept ~ dnorm(0, 1 / 25)
  coefficient ~ dnorm(0, 1)
  for (j in 1:2) { group_sd[j] ~ dnorm(0, 4) T(0, ) }
}"

jags_draws <- function(text, data, start, wanted, draws) {
  start <- lapply(seq_len(chains), function(chain)
    c(start, list(.RNG.name = "base::Mersenne-Twister", .RNG.seed = seed + chain)))
  sampler <- jags.model(textConnection(text), data, start, n.chains = chains, n.adapt = 1000, quiet = TRUE)
  update(sampler, 2000, progress.bar = "none")
  coda.samples(sampler, wanted, draws / chains, progress.bar = "none")
}
jags_survival_data <- function(model) {
  data <- read_data(model$data)
  parts <- read_formula(model$formula)
  X <- as.matrix(data[parts$terms])
  common <- list(X = X, N = nrow(X), P = ncol(X))
  if (length(parts$groups)) {
    name <- sub(".*\\|", "", parts$groups[1])
    common$group <- as.integer(factor(data[[name]]))
    common$G <- max(common$group)
  }
  if (model$baseline == "weibull") {
    last <- if (is.null(model$upper)) NA * data$time else data[[model$upper]]
    exact <- data$event == 1 & (is.na(last) | last == data$time)
    # state 0: time <= limits[1]; 1: between the limits; 2: beyond the second. An exact row has limits that hold nothing back.
    limits <- cbind(data$time, ifelse(data$event == 1 & !exact, last, data$time + 1e6))
    limits[exact, ] <- rep(c(1e6, 2e6), each = sum(exact))
    begin <- ifelse(exact, NA, ifelse(data$event == 1, (data$time + last) / 2, data$time + 1))
    list(data = c(common, list(time = ifelse(exact, data$time, NA), state = as.integer(!exact), limits = limits,
                               x_centre = as.array(colMeans(X)), time_centre = median(data$time[data$event == 1]))),
         start = list(time = begin, shape = 1))
  } else if (is.null(model$cuts)) {
    list(data = c(common[c("X", "N", "group", "G")], list(died = data$event, spent = data$time)), start = list())
  } else {
    spent <- exposure(data$time, model$cuts)
    died <- data$event * outer(interval_of(data$time, model$cuts), seq_len(ncol(spent)), "==")
    kept <- which(spent > 0, arr.ind = TRUE)
    list(data = list(died = died[kept], spent = spent[kept], piece = kept[, 2], X = X[kept[, 1], ], N = nrow(kept),
                     P = ncol(X), J = ncol(spent)), start = list())
  }
}
jags_models <- list(
  weibull_5 = list(jags_weibull(), c("intercept", "shape", "coefficient")),
  weibull_frailty = list(jags_weibull("id", 1), c("intercept", "shape", "coefficient", "group_sd")),
  weibull_interval = list(jags_weibull(), c("intercept", "shape", "coefficient")),
  piecewise_independent = list(jags_independent, c("log_hazard", "coefficient")),
  piecewise_random_walk = list(jags_random_walk, c("log_hazard", "smoothing_sd", "coefficient")),
  exponential_varying_slope = list(jags_varying_slope, c("intercept", "coefficient", "group_sd"))
)
# How far apart the engines are, in standard errors of the difference of the two means.
compare_engines <- function(name, summary) {
  spec <- jags_models[[name]]
  model <- posterior_models[[name]]
  prepared <- jags_survival_data(model)
  draws <- jags_draws(spec[[1]], prepared$data, prepared$start, spec[[2]], 80000)
  parts <- read_formula(model$formula)
  found <- coda::varnames(draws)
  stem <- sub("\\[.*", "", found)
  for (what in c("coefficient", "group_sd")) {
    labels <- parts[[if (what == "coefficient") "terms" else "groups"]]
    found[stem == what] <- sprintf("%s[%s]", what, labels)
  }
  values <- as.matrix(draws)
  error <- apply(values, 2, sd) / sqrt(coda::effectiveSize(draws))
  theirs <- summary[match(found, summary$parameter), ]
  stopifnot(!anyNA(theirs$mean))
  z <- (colMeans(values) - theirs$mean) / sqrt(error^2 + theirs$mcse^2)
  cat(sprintf("  JAGS: largest |z| %.1f (%s), smallest ESS %.0f, largest difference %.3f posterior sd\n", max(abs(z)),
              found[which.max(abs(z))], min(coda::effectiveSize(draws)), max(abs(colMeans(values) - theirs$mean) / theirs$sd)))
  stopifnot(abs(z) < 4.5, abs(colMeans(values) - theirs$mean) < 0.05 * theirs$sd)
}

# ---- summaries --------------------------------------------------------------------------------------------------------

summarise <- function(x) {  # x: iterations by chains
  ess <- min(ess_bulk(x), coda::effectiveSize(mcmc.list(lapply(seq_len(ncol(x)), function(i) mcmc(x[, i])))))
  quantiles <- quantile(x, c(0.025, 0.5, 0.975), names = FALSE)
  data.frame(mean = mean(x), sd = sd(x), q2.5 = quantiles[1], q50 = quantiles[2], q97.5 = quantiles[3], ess = round(ess),
             mcse = sd(x) / sqrt(ess), r_hat = Rhat(x), tail = ess_tail(x))
}
# H0(t) for every draw; `draws` has a column per parameter.
drawn_cumulative_hazard <- function(model, draws, t) {
  block <- function(name) draws[, grep(paste0("^", name, "\\["), colnames(draws)), drop = FALSE]
  p <- c(model[c("scale", "cuts", "knots", "boundary")], lapply(as.data.frame(draws), identity))
  switch(model$baseline,
    "piecewise-exponential" = as.vector(exp(block("log_hazard")) %*% t(exposure(t, model$cuts))),
    "mspline" = exp(p$intercept) * as.vector(block("weights") %*% t(mspline_integral(t, model$knots, model$boundary))),
    baselines[[model$baseline]](p)$cumulative_hazard(t))
}
# The parameters of one draw, as likelihood.R has them.
one_draw <- function(model, draw) {
  pick <- function(name) {
    values <- draw[startsWith(names(draw), paste0(name, "["))]
    setNames(values, sub("\\]$", "", sub("^[^[]*\\[", "", names(values))))
  }
  effects <- pick("group_effect")
  group <- sub("\\[.*", "", names(effects))
  levels <- sub("\\]$", "", sub("^[^[]*\\[", "", names(effects)))
  c(as.list(draw[intersect(names(draw), c("intercept", "shape", "slope"))]),
    model[intersect(names(model), c("scale", "cuts", "knots", "boundary"))],
    list(log_hazard = unname(pick("log_hazard")), weights = unname(pick("weights")), coefficient = as.list(pick("coefficient")),
         group_effect = lapply(split(setNames(effects, levels), group), as.list)))
}

effort <- list(  # draws, adapt_delta
  weibull_5 = c(40000, 0.9), weibull_frailty = c(160000, 0.9), weibull_pooled = c(64000, 0.9),
  piecewise_independent = c(48000, 0.9), piecewise_random_walk = c(80000, 0.98), weibull_delayed_entry = c(64000, 0.9),
  weibull_interval = c(60000, 0.9), gompertz = c(48000, 0.9), exponential_varying_slope = c(100000, 0.99),
  mspline = c(80000, 0.98)
)
summaries <- list()
survivals <- list()
for (name in names(posterior_models)) {
  began <- proc.time()[["elapsed"]]
  model <- posterior_models[[name]]
  array <- stan_draws(model, effort[[name]][1], effort[[name]][2])
  draws <- apply(array, 3, as.vector)

  # Stan's log-likelihood is the one in likelihood.R.
  for (i in round(seq(1, nrow(draws), length.out = 7))) {
    case <- c(model, list(parameters = one_draw(model, draws[i, ])))
    close_to(sum(case_rows(case)), draws[i, "total"], 1e-9)
  }

  effects <- colnames(draws)[startsWith(colnames(draws), "group_effect[")]
  kept <- setdiff(colnames(draws), c("total", effects, grep("^weights", colnames(draws), value = TRUE)))
  kept <- c(kept, intersect(effects, sprintf("group_effect[%s]", model$group_effects)))
  stopifnot(sum(startsWith(kept, "group_effect")) == length(model$group_effects))
  summary <- do.call(rbind, lapply(kept, function(k)
    cbind(model = name, parameter = k, summarise(array[, , k]), engine = "Stan")))

  survival <- do.call(rbind, lapply(model$profiles, function(profile) do.call(rbind, lapply(model$times, function(t) {
    terms <- sprintf("coefficient[%s]", names(profile))
    ratio <- exp(as.vector(draws[, terms, drop = FALSE] %*% unlist(profile)))
    drawn <- exp(-drawn_cumulative_hazard(model, draws, t) * ratio)
    first <- baselines[[model$baseline]](one_draw(model, draws[1, ]))$cumulative_hazard(t)
    close_to(drawn[1], exp(-first * ratio[1]))
    s <- summarise(matrix(drawn, ncol = chains))
    stopifnot(s$r_hat < 1.005)
    data.frame(model = name, profile = as.character(jsonlite::toJSON(profile, auto_unbox = TRUE, digits = NA)),
               time = t, mean = s$mean, mcse = s$mcse)
  }))))

  cat(sprintf("%s: smallest ESS %d (%s), tail ESS %.0f, largest R-hat %.4f, %.0f s\n", name, min(summary$ess),
              summary$parameter[which.min(summary$ess)], min(summary$tail), max(summary$r_hat),
              proc.time()[["elapsed"]] - began))
  stopifnot(summary$ess >= least_ess, summary$tail >= least_ess / 2, summary$r_hat < 1.005)
  if (name %in% names(jags_models)) compare_engines(name, summary)
  summaries[[name]] <- summary
  survivals[[name]] <- survival
}

write_table(do.call(rbind, summaries)[c("model", "parameter", "mean", "sd", "q2.5", "q50", "q97.5", "ess", "mcse", "engine")],
            "posterior.csv")
write_table(do.call(rbind, survivals), "posterior_survival.csv")
write_json(lapply(posterior_models, function(model) {
  for (name in intersect(names(model), c("group_effects", "cuts", "knots"))) model[[name]] <- I(model[[name]])
  model
}), "posterior_models.json")
cat(sprintf("posteriors written: %s, rstan %s (Stan %s), JAGS %s, rjags %s, survival %s, %s\n", R.version.string,
            packageVersion("rstan"), stan_version(), jags.version(), packageVersion("rjags"), packageVersion("survival"),
            Sys.Date()))
