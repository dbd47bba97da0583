"""Models of buying in closed form: parameters and arrays in, likelihoods and expectations out; no random numbers."""
