package app

deny contains "amount" if input.params.amout > 1000

deny contains "currency" if input.params.currency > count(input.params.amount)

deny contains "type" if input.typ == "payment"
