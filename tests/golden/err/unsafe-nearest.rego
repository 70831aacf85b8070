package t

allowed_users := {"ann", "bob"}

p if input.user in alowed_users
