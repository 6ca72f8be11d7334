import HTTPTypes
import NIOCore
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// What upstreams ask of us, and what happens while they are slow, silent or gone.
struct UpstreamCareTests {
    @Test(arguments: [HTTPResponse.Status.tooManyRequests, .serviceUnavailable])
    func `Retry-After pauses the whole upstream: what is held is served, the rest is 503`(
        status: HTTPResponse.Status
    ) async throws {
        try await UpstreamScene.with { scene in
            for name in ["foo", "bar"] { try scene.upstream.offer(MadeCrate(name, "1.0.0")) }
            let good = try await scene.index("foo").text
            #expect(try await scene.index("none").status == 404)
            scene.upstream.set {
                $0.status = status
                $0.headers = [.retryAfter: "120"]
            }
            try await scene.refresh("foo")
            scene.upstream.set { $0.status = nil }
            let asked = scene.upstream.requests.count
            #expect(try await scene.index("foo").text == good)
            #expect(try await scene.index("none").status == 404)
            let unknown = try await scene.index("bar")
            let wait = try #require(unknown.header("retry-after").flatMap { Int($0) })
            #expect(unknown.status == 503 && (1...10).contains(wait))
            #expect(scene.upstream.requests.count == asked)
            #expect(try await scene.download("foo").status == 503)
            #expect(scene.upstream.requests.count == asked)
            let standing = try #require(try await scene.store.overview(of: scene.repository).first)
            #expect(standing.pausedUntil != nil && standing.pauseCause?.contains("\(status.code)") == true)
            #expect(standing.namesKnown == 2 && standing.namesAbsent == 1 && standing.faults == 1)
            try await scene.endPauses()
            #expect(try await scene.index("bar").status == 200)
        }
    }

    @Test func `while an upstream can't be reached, one name finds it out for all`() async throws {
        try await UpstreamScene.with { scene in
            #expect(try await scene.index("none").status == 404)
            try await scene.put("http://127.0.0.1:\(try freePort())/")
            _ = try await scene.origin.slices.pool.execute(
                "UPDATE upstream_files SET checked_at = now() - interval '25 hours'")
            for name in ["foo", "bar", "baz"] { #expect(try await scene.index(name).status == 503) }
            #expect(try await scene.index("none").status == 404)
            let standing = try #require(try await scene.store.overview(of: scene.repository).first)
            #expect(standing.pausedUntil != nil && standing.pauseCause?.contains("refused") == true)
            // The follower may have asked at the same moment.
            #expect(try await scene.faults().count <= 2)
        }
    }

    @Test func `the slowness of one upstream is no other's`() async throws {
        try await UpstreamScene.with(freshSeconds: 1) { slow in
            try await ScriptedUpstream.with { quick in
                let other = try await slow.origin.repository("other")
                let index = try #require(UpstreamIndex(quick.url))
                try await slow.store.add(
                    .init(name: RepositoryName("quick"), index: index, freshSeconds: 1, privateAllowed: true),
                    to: other, by: .commandLine)
                #expect(try await slow.index("known").status == 404)
                slow.upstream.set { $0.isHeld = true }
                let desk = slow.origin.slices.upstreamDesk
                // Not over HTTP: the tests' client has few connections.
                async let waiting: Void = forEach(Array(0..<60), atOnce: 60) { number in
                    do {
                        try await desk.prepare(CrateName("slow\(number)"), in: slow.repository)
                    } catch is Refusal {
                        // Given up, if this machine is very slow itself.
                        return
                    }
                }
                while slow.upstream.requests.count < 1 + 24 { try await Task.sleep(for: .milliseconds(10)) }
                let path = "/other/index/3/f/foo"
                #expect(try await slow.origin.call("GET", path).status == 404)
                // It did not wait until the slow ones were given up.
                #expect(try await slow.faults() == [])
                // The one before, and as many as one upstream that speaks HTTP/1.1 is asked at once.
                #expect(slow.upstream.requests.count <= 1 + 24)
                // The follower, too, comes back to the quick one, while a name of the slow one is due as well.
                try quick.offer(MadeCrate("foo", "1.0.0"))
                let asked = quick.requests.count
                for _ in 0..<300 where quick.requests.count < asked + 2 { try await Task.sleep(for: .milliseconds(50)) }
                #expect(quick.requests.count >= asked + 2)
                #expect(try await slow.origin.call("GET", path).status == 200)
                slow.upstream.set { $0.isHeld = false }
                try await waiting
            }
        }
    }

    @Test func `config.json is read once for many downloads, and what it said holds on`() async throws {
        try await UpstreamScene.with { scene in
            for name in ["foo", "bar", "baz"] { try scene.upstream.offer(MadeCrate(name, "1.0.0")) }
            for name in ["foo", "bar", "baz"] { _ = try await scene.index(name) }
            for name in ["foo", "bar"] { #expect(try await scene.download(name).status == 200) }
            scene.upstream.set { $0.downloads = "http://127.0.0.1:1/" }
            #expect(try await scene.download("baz").status == 200)
            #expect(scene.upstream.requests.filter { $0 == "config.json" }.count == 1)
        }
    }

    @Test func `I11: while an upstream is down its last word is repeated, for as long as the offline rule says`()
        async throws
    {
        try await UpstreamScene.with { scene in
            #expect(try await scene.index("foo-bar").status == 404)
            scene.upstream.set { $0.status = .badGateway }
            // Fresh for a day, and a day more by the repository's offline rule.
            try await scene.age(seconds: 86_400 + 3600)
            #expect(try await scene.index("foo-bar").status == 404)
            #expect(scene.upstream.requests.count == 2)
            #expect(try await scene.index("foo-bar").status == 404)
            #expect(scene.upstream.requests.count == 2)
            #expect(try await scene.faults().count == 1)
            try await scene.age(seconds: 86_400)
            #expect(try await scene.index("foo-bar").status == 503)
        }
    }

    @Test func `I11: a repository that refuses when it is cut off repeats no absence either`() async throws {
        try await UpstreamScene.with { scene in
            #expect(try await scene.index("foo").status == 404)
            _ = try await scene.origin.slices.repositories.update(
                scene.repository.name, RepositorySettings(offline: .refuse), by: .commandLine)
            scene.upstream.set { $0.status = .badGateway }
            try await scene.age(seconds: 86_400 + 1)
            #expect(try await scene.index("foo").status == 503)
        }
    }

    @Test func `while the first upstream is down, the next one still serves what the first does not have`() async throws
    {
        try await UpstreamScene.with { scene in
            try await ScriptedUpstream.with { next in
                for name in ["foo", "bar"] { try next.offer(MadeCrate(name, "1.0.0")) }
                let index = try #require(UpstreamIndex(next.url))
                try await scene.store.add(
                    .init(name: RepositoryName("next"), index: index, privateAllowed: true), to: scene.repository,
                    by: .commandLine)
                #expect(try await scene.index("foo").status == 200)
                scene.upstream.set { $0.status = .badGateway }
                try await scene.age(seconds: 90_000)
                #expect(try await scene.index("foo").status == 200)
                // Nobody knows whether the first has it.
                #expect(try await scene.index("bar").status == 503)
            }
        }
    }

    @Test func `an upstream that comes second does not replace what the first has`() async throws {
        try await UpstreamScene.with { scene in
            try await ScriptedUpstream.with { next in
                try next.offer(MadeCrate("foo", "1.0.0"))
                let index = try #require(UpstreamIndex(next.url))
                try await scene.store.add(
                    .init(name: RepositoryName("next"), index: index, privateAllowed: true), to: scene.repository,
                    by: .commandLine)
                #expect(try await scene.index("foo").text.contains("1.0.0"))
                try scene.upstream.offer(MadeCrate("foo", "2.0.0"))
                try await scene.refresh("foo")
                let position = try await scene.origin.slices.repositories.list().position
                for _ in 0..<3 {
                    try await scene.refresh("foo")
                    let text = try await scene.index("foo").text
                    #expect(text.contains("2.0.0") && !text.contains("1.0.0"))
                }
                // Nor for a moment.
                #expect(try await scene.origin.slices.repositories.list().position == position)
            }
        }
    }

    @Test func `an upstream that is added anew takes over what came from it before`() async throws {
        try await UpstreamScene.with { scene in
            let bytes = try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
            let good = try await scene.index("foo").text
            let name = try RepositoryName("up")
            try await scene.store.remove(name, from: scene.repository, by: .commandLine)
            #expect(try await scene.download("foo").status == 404)
            try await scene.put()
            for _ in 0..<3 { #expect(try await scene.index("foo").text == good) }
            #expect(scene.upstream.requests == ["3/f/foo", "3/f/foo"])
            let crate = try await scene.download("foo")
            #expect(crate.status == 200 && Array(crate.body.readableBytesView) == bytes)
        }
    }

    @Test func `another index makes all that the old one said doubtful, and is asked at once`() async throws {
        try await UpstreamScene.with { scene in
            try await ScriptedUpstream.with { moved in
                try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
                let line = try #require(try await scene.index("foo").text.split(separator: "\n").first)
                #expect(try await scene.index("bar").status == 404)
                try moved.offer(MadeCrate("foo", "1.0.0"), line: String(line))
                for (name, version) in [("foo", "1.1.0"), ("bar", "1.0.0")] {
                    try moved.offer(MadeCrate(name, version))
                }
                try await scene.put(moved.url)
                #expect(try await scene.index("bar").status == 200)
                for _ in 0..<100 where try await !scene.index("foo").text.contains("1.1.0") {
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(try await scene.index("foo").text.contains("1.1.0"))
            }
        }
    }
}
