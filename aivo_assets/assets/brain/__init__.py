"""Assets of the main brain: training features, hyper-parameters, candidate to champion, its card and its shadow."""
