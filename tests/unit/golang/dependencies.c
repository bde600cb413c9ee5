// SPDX-License-Identifier: Apache-2.0
/* Which module a function is of, by the program's build information. */
#include "golang/dependencies.h"

#include <criterion/criterion.h>
#include <string.h>

static const char lines[] = "path\tgithub.com/acme/shop/cmd/shop\n"
			    "mod\tgithub.com/acme/shop\tv1.2.3\t\n"
			    "dep\tgithub.com/hashicorp/go-memdb\tv1.3.3\th1:abc=\n"
			    "dep\tgithub.com/nats-io/nats.go\tv1.37.0\th1:abc=\n"
			    "dep\tgithub.com/redis/go-redis/v9\tv9.5.1\th1:abc=\n"
			    "dep\tcloud.google.com/go\tv0.115.0\th1:abc=\n"
			    "dep\tcloud.google.com/go/pubsub\tv1.40.0\th1:abc=\n"
			    "dep\tgithub.com/acme/forked\tv1.0.0\n"
			    "=>\tgithub.com/joe/fork\tv1.0.1\th1:abc=\n"
			    "dep\tgithub.com/acme/beside\tv1.0.0\n"
			    "=>\t../beside\t(devel)\t\n"
			    "dep\tgopkg.in/yaml.v3\tv3.0.1\n"
			    "build\t-buildmode=exe\n"
			    "dep";

static struct go_dependencies *parsed(const char *text)
{
	struct go_dependencies *all;

	cr_assert_eq(go_dependencies__parse(text ? strdup(text) : NULL, &all), 0);
	return all;
}

Test(dependencies, by_the_file_and_by_the_package)
{
	static const struct {
		const char *function, *file, *path, *version;
	} cases[] = {
		{"github.com/hashicorp/go-memdb.watchFew",
		 "/root/go/pkg/mod/github.com/hashicorp/go-memdb@v1.3.3/watch_few.go",
		 "github.com/hashicorp/go-memdb", "v1.3.3"},
		{"github.com/hashicorp/go-memdb.watchFew",
		 "/src/shop/vendor/github.com/hashicorp/go-memdb/watch_few.go",
		 "github.com/hashicorp/go-memdb", "v1.3.3"},
		/* A closure of a library that was inlined. */
		{"main.main.watchFew.func1",
		 "github.com/acme/shop/vendor/github.com/hashicorp/go-memdb/watch_few.go",
		 "github.com/hashicorp/go-memdb", "v1.3.3"},
		{"main.main.watchFew.func1", "/src/shop/main.go", NULL, NULL},
		{"github.com/nats-io/nats%2ego.(*Conn).readLoop", "", "github.com/nats-io/nats.go",
		 "v1.37.0"},
		{"github.com/redis/go-redis/v9/internal/pool.(*ConnPool).reaper", "",
		 "github.com/redis/go-redis/v9", "v9.5.1"},
		{"cloud.google.com/go/pubsub/internal/x.F", "", "cloud.google.com/go/pubsub",
		 "v1.40.0"},
		{"cloud.google.com/go/internal.F", "", "cloud.google.com/go", "v0.115.0"},
		{"cloud.google.com/gopher.F", "", NULL, NULL},
		{"github.com/acme/forked/a.F", "/root/go/pkg/mod/github.com/joe/fork@v1.0.1/a/a.go",
		 "github.com/joe/fork", "v1.0.1"},
		{"github.com/acme/beside.F", "/src/beside/a.go", NULL, NULL},
		{"gopkg.in/yaml%2ev3.(*Decoder).Decode", "", "gopkg.in/yaml.v3", "v3.0.1"},
		{"net/http.(*Server).Serve", "/usr/lib/go/src/net/http/server.go", NULL, NULL},
		{"github.com/acme/shop/jobs.run", "/src/shop/jobs/run.go", NULL, NULL},
		{"0x4a1b2c", "", NULL, NULL},
		{"", "", NULL, NULL},
	};
	struct go_dependencies *all = parsed(lines);

	cr_assert_eq(go_dependencies__count(all), 9);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct go_dependency *found =
			go_dependencies__of(all, cases[i].function, cases[i].file);

		if (!cases[i].path) {
			cr_expect_null(found, "%s: %s", cases[i].function, found->path);
			continue;
		}
		cr_assert_not_null(found, "%s", cases[i].function);
		cr_expect_str_eq(found->path, cases[i].path);
		cr_expect_str_eq(found->version, cases[i].version);
	}
	go_dependencies__free(all);
}

Test(dependencies, of_text_that_makes_no_sense)
{
	static const char *const texts[] = {
		NULL, "", "\n\n\t\t\n", "=>\tgithub.com/a/b\tv1.0.0\n", "dep\t\t\t\t\n", "dep\tx",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct go_dependencies *all = parsed(texts[i]);

		cr_expect_null(go_dependencies__of(all, "github.com/a/b.F", ""));
		cr_expect_null(go_dependencies__of(all, "", "/vendor/"));
		go_dependencies__free(all);
	}
}
