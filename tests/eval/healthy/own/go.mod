module own

go 1.23
