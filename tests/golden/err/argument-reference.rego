package app

level(data.limits.low) := "low"
