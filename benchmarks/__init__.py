"""Speed and memory of cxsim beside named rivals, in one run."""
