package pricing

discount := 10 if input.member

discount := 20 if input.years > 5
