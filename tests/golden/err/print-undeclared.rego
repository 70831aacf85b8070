package app

allow if {
	print("user", usr)
	usr = input.user
}
