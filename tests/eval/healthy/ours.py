# SPDX-License-Identifier: Apache-2.0
"""Small servers of our own, for what no real one shows so plainly (tests/eval/healthy/own)."""

from loads import Server, bursts, crowd, growth, plateau, ramp, waves, web


class DatabasePool(Server):
    name = "own: database pool"
    about = "database/sql filling up slowly, a watcher for each connection, queues, expiry"
    own = "dbpool"

    def crowds(self, place):
        return [
            web(place, "/query?steps=40", ramp(70), every=0.5, conn="own"),
            web(place, "/query?steps=2", waves(20), every=0.5, conn="own"),
            web(place, "/query?steps=100", bursts(60), every=1, conn="own", rude=True),
        ]


class Gateway(Server):
    name = "own: gateway"
    about = "a pool of idle keep-alive connections to more and more hosts"
    own = "gateway"
    attach = "middle"

    def crowds(self, place):
        return [
            web(place, "/fetch?b=$N", growth(120), every=15, conn="own"),
            web(place, "/fetch?b=$R", plateau(2), every=0.7, conn="own"),
            web(place, "/fetch?b=1", bursts(30), every=0.2, conn="shared"),
        ]


class Workers(Server):
    name = "own: workers"
    about = "a breathing pool, an actor per tenant, fan-outs, a semaphore, batches, timed jobs"
    own = "workers"

    def crowds(self, place):
        return [
            web(place, "/job", ramp(55), every=0.3, conn="own"),
            web(place, "/tenant", plateau(2), every=0.8, conn="own"),
            web(place, "/fan", waves(12), every=1, conn="own"),
            web(place, "/limited", bursts(40), every=0.3, conn="own", rude=True),
            web(place, "/write", ramp(40), every=0.2, conn="shared"),
        ]


class Hub(Server):
    name = "own: stream hub"
    about = "streams over few connections: minutes of opening, a plateau, minutes of closing"
    own = "hub"

    def crowds(self, place):
        to = place.address()
        return [
            crowd("raw", to, [[0, 0], [1, 6], [60, 6], [61, 0]], say="open\n", every=8),
            crowd("raw", to, plateau(20), hello="open\n" * 4, every=60, life=25),
            crowd("raw", to, waves(20), hello="open\nopen\n", say="open\nclose\n", every=4),
        ]


class Sessions(Server):
    name = "own: sessions"
    about = "cache entries, sessions and retries with a goroutine each that ends by a timer"
    own = "sessions"

    def crowds(self, place):
        return [
            web(place, "/cache?key=$N-$R", plateau(2), every=3, conn="shared"),
            web(place, "/session?user=$N", waves(20), every=4, conn="shared", life=30),
            web(place, "/later", [[0, 0], [1, 1], [55, 1], [56, 0]], every=2, conn="shared"),
        ]


SERVERS = [DatabasePool(), Gateway(), Workers(), Hub(), Sessions()]
