// SPDX-License-Identifier: Apache-2.0
#include "golang/module_path.h"

#include <criterion/criterion.h>
#include <string.h>

static void is(const char *file, const char *path, const char *version)
{
	struct module_version found = {.path = "untouched"};

	if (!path) {
		cr_expect_not(module_version__of_file(file, &found), "%s: %s", file, found.path);
		cr_expect_str_eq(found.path, "untouched");
		return;
	}
	cr_expect(module_version__of_file(file, &found), "%s", file);
	cr_expect_str_eq(found.path, path);
	cr_expect_str_eq(found.version, version);
}

Test(module_path, in_the_cache_and_trimmed)
{
	is("/root/go/pkg/mod/github.com/hashicorp/go-memdb@v1.3.3/watch.go",
	   "github.com/hashicorp/go-memdb", "v1.3.3");
	is("/go/pkg/mod/github.com/!i!b!m/sarama@v1.40.1/utils.go", "github.com/IBM/sarama",
	   "v1.40.1");
	is("github.com/redis/go-redis/v9@v9.5.1/internal/pool/pool.go",
	   "github.com/redis/go-redis/v9", "v9.5.1");
	is("/var/cache/modules/gopkg.in/yaml.v3@v3.0.1/decode.go", "gopkg.in/yaml.v3", "v3.0.1");
	is("/go/pkg/mod/github.com/olivere/elastic@v6.2.7+incompatible/client.go",
	   "github.com/olivere/elastic", "v6.2.7+incompatible");
	is("/home/a@v1/go/pkg/mod/golang.org/x/crypto@v0.53.0/ssh/mux.go", "golang.org/x/crypto",
	   "v0.53.0");
}

Test(module_path, that_do_not_tell)
{
	is("", NULL, NULL);
	is("/src/shop/main.go", NULL, NULL);
	is("/src/shop/vendor/github.com/hashicorp/go-memdb/watch.go", NULL, NULL);
	is("/usr/local/go/src/net/http/server.go", NULL, NULL);
	is("/home/joe@vienna/shop/main.go", NULL, NULL);
	is("@v1.2.3/x.go", NULL, NULL);
	is("a.b/c@v1.2.3", NULL, NULL);
	is("/@v1/", NULL, NULL);
}

Test(module_path, endless)
{
	static char file[8192];

	memset(file, 'a', sizeof(file) - 1);
	is(file, NULL, NULL);
	memcpy(file + 4000, "@v1.2.3/", 8);
	is(file, NULL, NULL);
}
