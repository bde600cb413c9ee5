// SPDX-License-Identifier: Apache-2.0
#include "made_recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/schema.h"

#define S "000000000"

static const char rows[] =
	"PRAGMA application_id = 1735158628; PRAGMA user_version = 1;"
	"INSERT INTO meta VALUES ('begin_ns', 1000" S "), ('end_ns', 1060" S "),"
	" ('complete', 1), ('host', 'made'), ('kernel', '6.1'), ('gleakd', '9'),"
	" ('long_park_ns', 1" S ");"
	"INSERT INTO clocks VALUES (1000" S ", 1700000000" S ", 1500" S "),"
	" (1060" S ", 1700000060" S ", 1560" S ");"
	"INSERT INTO targets VALUES (1, 4242, 1699999000, 1000" S ", 0, 'shop', '/bin/shop',"
	" '/bin/shop', '', 'go1.26.8');"
	"INSERT INTO frames VALUES (1, 'main.serve', 'serve.go', 7, ''),"
	" (2, 'main.wait', 'wait.go', 11, '');"
	"INSERT INTO sites VALUES (1, 1, '0000aaaa', 'select', 'main.brief', 1, 2, NULL),"
	" (2, 1, '0000bbbb', 'chan receive', 'main.stay', NULL, 2, 1);"
	"INSERT INTO site_stacks VALUES (1, 0, 2), (1, 1, 1);"
	"INSERT INTO places VALUES (1, 1, 1), (2, 1, 2), (3, 1, NULL);"
	"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 97)"
	" INSERT INTO goroutines SELECT 1, i + 100, 1, 1000" S " + i * 100000000, 1, i * 1000000,"
	" NULL FROM n;"
	"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 13)"
	" INSERT INTO goroutines SELECT 1, i + 1000, 2, 1001" S " + i * 1" S ", 1, NULL, 1010" S
	" + i * 1" S " FROM n;"
	"INSERT INTO parks VALUES (1, 101, 1, 1002" S ", 5" S ");"
	"INSERT INTO populations VALUES (1002" S ", 1, 3, 3, 10, 7), (1002" S ", 2, 5, 5, 5, 0),"
	" (1030" S ", 2, 13, 13, 13, 0);"
	"INSERT INTO verdicts VALUES (1002" S ", 2, 'growing', 0.5, NULL, '[\"rises\"]'),"
	" (1030" S ", 2, 'leaking', 0.97, NULL, '[\"stays\", \"more\"]');"
	"INSERT INTO memory VALUES (1001" S ", 1, 5, 9000000, 4000000, 3000000, 3000, 2000000,"
	" 64000, 1000, 7, 6000000, 11000, 13000, 1700000), (1002" S
	", 1, 8, 9000000, 4000000, 3000000, 3000,"
	" 2000000, 64000, 1000, 7, NULL, 17000, NULL, NULL), (1003" S
	", 1, 8, 9000000, NULL, NULL, NULL,"
	" NULL, NULL, NULL, 7, NULL, NULL, NULL, NULL);"
	"INSERT INTO allocations VALUES (1, 1, '0000cccc', 'main.session', 1);"
	"INSERT INTO allocation_stacks VALUES (1, 0, 1);"
	"INSERT INTO allocation_points VALUES (1002" S ", 1, 4096, 8, 8192, 16),"
	" (1030" S ", 1, 8192, 16, 16384, 32);"
	"INSERT INTO allocators VALUES (1, 1, 'label', 'tenant=red', NULL, NULL, ''),"
	" (2, 1, 'goroutine', NULL, 17, 1, 'main.fill');"
	"INSERT INTO allocator_points VALUES (1002" S ", 1, 512, 7, 64), (1030" S
	", 1, 1024, 13, NULL),"
	" (1030" S ", 2, 4096, 1, 0);"
	"INSERT INTO resources VALUES (1, 1, 'file', 'main.logs[…].file', ''),"
	" (2, 1, 'timer', '', 'main.tick'), (3, 1, 'a kind of another gleakd', '', '');"
	"INSERT INTO resource_points VALUES (1002" S ", 1, 7, 0, 0, NULL),"
	" (1030" S ", 1, 19, 13, 1, 'growing'), (1030" S ", 2, 3, 0, 0, NULL),"
	" (1030" S ", 3, 5, 0, 0, NULL);"
	"INSERT INTO scheduling VALUES (1002" S ", 1, 5, 0, 0, 0, 0, NULL, NULL, NULL, NULL, 0, 0),"
	" (1030" S ", 1, 16, 3, 230000000, 1, 2, 1500000000, 7000, 'throttled', 3000,"
	" 5, 1),"
	" (1040" S ", 1, 19, 0, 0, 0, 1, 500000000, 1000, 'go', 4000, 7, 0);"
	"INSERT INTO stuck_calls VALUES (1, 1, 7, 4711, 'read(3: /run/fifo)', 0, '0000bbbb',"
	" 1010" S ", 20" S "), (2, 1, 8, 4712, 'nanosleep()', 1, '', 1020" S ", 20" S " * 2);"
	"INSERT INTO losses VALUES (1, 'events', 0), (1, 'lives left out', 17),"
	" (1, 'parks left out', 2);"
	"INSERT INTO report VALUES (1, 1060" S ", 1, '{\"schema_version\": 1,"
	" \"time\": \"2026-01-02T03:04:05.678Z\", \"final\": true,"
	" \"final_reason\": \"duration over\", \"targets\": [{\"pid\": 4242, \"comm\": \"shop\","
	" \"sites\": [{\"id\": \"0000bbbb\", \"verdict\": \"leaking\", \"confidence\": 0.97,"
	" \"goroutines\": 13, \"parked\": 13, \"start_function\": \"main.stay\"}]}]}');";

static void execute(sqlite3 *db, const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &message) == SQLITE_OK)
		return;
	fprintf(stderr, "made_recording: %s\n", message);
	abort();
}

void *made_recording__new(const char *sql, size_t *ret_size)
{
	sqlite3_int64 size;
	void *copy, *bytes;
	sqlite3 *db;

	if (sqlite3_open(":memory:", &db))
		abort();
	execute(db, "PRAGMA page_size = 1024");
	execute(db, record_schema);
	execute(db, rows);
	if (sql)
		execute(db, sql);
	bytes = sqlite3_serialize(db, "main", &size, 0);
	copy = bytes ? malloc((size_t)size) : NULL;
	if (!copy)
		abort();
	memcpy(copy, bytes, (size_t)size);
	*ret_size = (size_t)size;
	sqlite3_free(bytes);
	sqlite3_close(db);
	return copy;
}
