"""A run in; decision, sensitivity, value of information and portfolio out."""
