"""What a shop measures; in the making."""
