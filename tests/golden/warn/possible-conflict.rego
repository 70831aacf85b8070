package pricing

discount := 10 if startswith(input.code, "A")

discount := 20 if count(input.items) * 7 == input.total
