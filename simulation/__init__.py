"""A house, its meter, a car and its cloud, simulated: for tests, the demo and the benchmark."""
