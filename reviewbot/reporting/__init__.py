"""What a month costs: the forecast, and the pages that show it. Pure."""
