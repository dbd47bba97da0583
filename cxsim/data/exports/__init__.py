"""Export files of shop, support and survey platforms in; tables of one shape out, or a reason why not."""
