module gleakd/tools/layoutgen

go 1.21
