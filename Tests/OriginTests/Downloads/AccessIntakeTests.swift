import Foundation
import NIOCore
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// The access log's way in: each batch once, bounded, and each edge for itself.
struct AccessIntakeTests {
    /// The downloads of these tests are a year old, and an origin deletes such at some moment after its start.
    @Sendable private static func prunesNothing(_ config: inout OriginConfig) { config.pullDays = 3_650 }

    private static let spool = String(repeating: "ab", count: 16)

    private func pull(
        _ version: String, subject: String? = nil, at: Int = 1_764_028_800, from address: String? = nil
    ) -> AccessBatch.Pull {
        AccessBatch.Pull(
            at: at, repository: "main", crate: "Foo-Bar", version: version, subject: subject, bytes: 1000, cache: "HIT",
            address: address)
    }

    @Test func `a pull tells from where, in one spelling; what is no address is left out, and the pull counts`() {
        let now = 1_764_028_800
        let told = ["192.0.2.9", "::FFFF:192.0.2.9", "2001:DB8::9", nil, "", "192.0.2.9'; --", "192.0.2.9, 10.0.0.1"]
        let rows = ReadRows(batch(1, told.map { pull("1.0.0", at: now, from: $0) }), now: now)
        #expect(rows.pulls.map(\.address) == ["192.0.2.9", "192.0.2.9", "2001:db8::9", nil, nil, nil, nil])
        #expect(rows.refused == 0 && rows.counts.map(\.count) == [7])
    }

    private func reads(_ count: Int, version: String? = nil) -> AccessBatch.Reads {
        AccessBatch.Reads(day: "2025-11-25", repository: "main", crate: "foo-bar", version: version, count: count)
    }

    private func batch(
        _ number: Int64, _ pulls: [AccessBatch.Pull] = [], reads: [AccessBatch.Reads] = [], spool: String = spool
    ) -> AccessBatch {
        AccessBatch(spool: spool, number: number, pulls: pulls, reads: reads)
    }

    private func send(
        _ batch: AccessBatch, _ origin: TestOrigin, as edge: String, replica: Int = 0
    ) async throws -> HTTPAnswer {
        let text = String(decoding: try JSONEncoder().encode(batch), as: UTF8.self)
        return try await origin.call("POST", EdgeWire.accessPath, as: .edge(edge), json: text, replica: replica)
    }

    private func sums(_ origin: TestOrigin) async throws -> [String: [Int]] {
        try await origin.slices.reads.sums(in: try RepositoryName("main")).reduce(into: [:]) {
            $0[$1.crate] = [$1.downloads, $1.indexReads]
        }
    }

    @Test func `a batch counts once, however often and wherever it arrives`() async throws {
        try await TestOrigin.with(replicas: 2) { origin in
            let (eu, us) = (try await origin.edge("eu"), try await origin.edge("us"))
            let first = batch(
                1, [pull("1.0.0"), pull("1.0.0"), pull("1.1.0")], reads: [reads(40), reads(2, version: "1.0.0")])
            #expect(try await send(first, origin, as: eu).text == #"{"refused":0,"taken":true}"#)
            // The answer was lost: again, to both replicas at once.
            try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<8 {
                    group.addTask { try await send(first, origin, as: eu, replica: number % 2).text }
                }
                for try await text in group { #expect(text == #"{"refused":0,"taken":false}"#) }
            }
            #expect(try await sums(origin) == ["foo_bar": [5, 40]])
            // The same number of another edge, or of another spool, is another batch.
            #expect(try await send(batch(1, [pull("1.0.0")]), origin, as: us).text.contains(#""taken":true"#))
            let other = String(repeating: "0", count: 32)
            #expect(try await send(batch(1, [pull("1.0.0")], spool: other), origin, as: eu).text.contains("true"))
            #expect(try await send(batch(2, [pull("1.0.0")]), origin, as: eu).text.contains(#""taken":true"#))
            #expect(try await sums(origin) == ["foo_bar": [8, 40]])
            #expect(try await origin.slices.reads.pulls(.init()).count == 6)
        }
    }

    @Test func `I9: a batch over a limit is refused whole`() async throws {
        try await TestOrigin.with(configure: Self.prunesNothing) { origin in
            let edge = try await origin.edge("eu")
            let many = Array(repeating: pull("1.0.0"), count: AccessBatch.rowsMax + 1)
            #expect(try await send(batch(1, many), origin, as: edge).status == 413)
            var wide = pull("1.0.0")
            wide.crate = String(repeating: "a", count: AccessBatch.bytesMax)
            #expect(try await send(batch(1, [wide]), origin, as: edge).status == 413)
            for bad in [batch(0, [pull("1.0.0")]), batch(1, [pull("1.0.0")], spool: "x"), batch(-1)] {
                #expect(try await send(bad, origin, as: edge).status == 400)
            }
            #expect(try await sums(origin).isEmpty)
        }
    }

    // I12
    @Test func `rows that can't be are left out, and nobody but an edge is heard`() async throws {
        try await TestOrigin.with(configure: Self.prunesNothing) { origin in
            let edge = try await origin.edge("eu")
            var strange = Array(repeating: pull("1.0.0"), count: 6)
            strange[0].repository = "../x"
            strange[1].crate = "a b"
            strange[2].version = "one"
            strange[3].subject = "lsh_secret"
            strange[4].cache = "'; DROP TABLE pulls"
            strange[5].bytes = -1
            let odd = [reads(0), reads(-1), reads(5, version: "x"), reads(1 << 33)]
            let answer = try await send(batch(1, strange + [pull("2.0.0")], reads: odd), origin, as: edge)
            #expect(answer.text == #"{"refused":10,"taken":true}"#)
            #expect(try await sums(origin) == ["foo_bar": [1, 0]])

            try await origin.slices.edges.revoke(name: "eu", by: .commandLine)
            #expect(try await send(batch(2, [pull("2.0.0")]), origin, as: edge).status == 401)
            #expect(try await sums(origin) == ["foo_bar": [1, 0]])
        }
    }

    private static let now = 1_764_028_800

    /// Behind and ahead of `now` in seconds, and whether it is believed.
    private static let times: [(offset: Int, isBelieved: Bool)] = [
        (0, true), (86_400, true), (86_401, false), (-400 * 86_400, true), (-400 * 86_400 - 1, false),
        (-now - 1, false), (.max - now, false), (.min, false),
    ]

    @Test(arguments: times)
    func `I9: a download that a wrong clock dates is taken as of now`(offset: Int, isBelieved: Bool) {
        let rows = ReadRows(batch(1, [pull("1.0.0", at: Self.now &+ offset)]), now: Self.now)
        let taken = isBelieved ? Self.now + offset : Self.now
        #expect(rows.pulls.map(\.at) == [taken] && rows.refused == 0)
        #expect(rows.counts.map(\.day) == [CalendarDay.text(ofUnix: taken)])
    }

    @Test(arguments: [
        ("2025-11-25", "2025-11-25"), ("2025-11-26", "2025-11-26"), ("2025-11-27", "2025-11-25"),
        ("2024-10-21", "2024-10-21"), ("2024-10-20", "2025-11-25"), ("1970-01-01", "2025-11-25"),
        ("9999-12-31", "2025-11-25"), ("2025-02-30", "2025-11-25"), ("2025-11-25x", "2025-11-25"),
    ])
    func `I9: reads on a day that can't be are taken as today's`(said: String, taken: String) {
        var told = reads(3)
        told.day = said
        let rows = ReadRows(batch(1, reads: [told]), now: Self.now)
        #expect(rows.counts.map(\.day) == [taken] && rows.counts.map(\.count) == [3] && rows.refused == 0)
    }

    @Test func `I9: no edge's word makes a sum that is too large to be told`() async throws {
        try await SliceOrigin.with { origin, alice in
            #expect(try await origin.publish(MadeCrate("Foo-Bar", "1.0.0"), alice).status == 200)
            let store = ReadStore(pool: origin.pool)
            let repository = try #require(try await origin.repositories.find(RepositoryName("main")))
            let holder = EdgeHolder(edgeID: try await edgeID(origin), name: "eu")
            let most = Array(repeating: reads(1 << 32, version: "1.0.0"), count: AccessBatch.rowsMax)
            #expect(try await store.take(batch(1, reads: most), from: holder, now: Self.now).refused == 0)
            #expect(try await store.sums(in: RepositoryName("main")).map(\.downloads) == [AccessBatch.rowsMax << 32])
            // As if it had gone on like that for years.
            _ = try await origin.pool.execute(
                """
                INSERT INTO read_counts SELECT 'main', 'foo_bar', version, '2025-11-25', edge, 9223372036854775807
                FROM unnest(ARRAY['', '1.0.0', '2.0.0']) AS version, unnest(ARRAY['eu', 'us']) AS edge
                ON CONFLICT (repository, crate, version, day, edge) DO UPDATE SET count = excluded.count
                """)
            #expect(try await store.take(batch(2, reads: most), from: holder, now: Self.now).taken)
            let told = try #require(try await store.reads(of: CrateName("foo-bar"), in: repository, days: 366))
            #expect(told.total == ReadStore.sumMax && told.indexReads == ReadStore.sumMax)
            #expect(told.versions.map(\.total) == [ReadStore.sumMax, ReadStore.sumMax])
            let sum = try #require(try await store.sums(in: RepositoryName("main")).first)
            #expect(sum.downloads == ReadStore.sumMax && sum.indexReads == ReadStore.sumMax)
        }
    }

    @Test func `the trail names the reader and the edge, in pages, and ends with its time`() async throws {
        try await TestOrigin.with(configure: Self.prunesNothing) { origin in
            let edge = try await origin.edge("eu")
            let admin = try await origin.token("root", [.admin])
            let made = try await origin.made("ann", [.read], in: ["main"])
            let now = Int(Date().timeIntervalSince1970)
            let pulls = [
                pull("1.0.0", at: now - 100 * 86_400), pull("1.0.1", subject: String(made.record.id), at: now),
                pull("1.0.2", at: now, from: "192.0.2.9"),
            ]
            _ = try await send(batch(1, pulls), origin, as: edge)

            struct Page: Decodable {
                struct Pull: Decodable {
                    let version: String
                    let login: String?
                    let edge: String?
                    let address: String?
                }
                let pulls: [Pull]
                let next: Int?
            }
            func page(_ query: String) async throws -> Page {
                let answer = try await origin.call("GET", "/api/v1/pulls?\(query)", as: .token(admin))
                return try JSONDecoder().decode(Page.self, from: Data(answer.text.utf8))
            }
            let first = try await page("limit=2&repository=main&crate=foo_bar")
            #expect(first.pulls.map(\.version) == ["1.0.2", "1.0.1"])
            #expect(first.pulls.map(\.login) == [nil, "ann"] && first.pulls.map(\.edge) == ["eu", "eu"])
            #expect(first.pulls.map(\.address) == ["192.0.2.9", nil])
            let second = try await page("limit=2&before=\(try #require(first.next))")
            #expect(second.pulls.map(\.version) == ["1.0.0"] && second.next == nil)
            #expect(try await page("token=\(made.record.id)").pulls.map(\.version) == ["1.0.1"])
            #expect(try await page("edge=us").pulls.isEmpty)
            #expect(
                try await page("repository=main&crate=foo-bar&version=1.0.2&edge=eu").pulls.map(\.version) == ["1.0.2"])
            #expect(try await page("repository=other").pulls.isEmpty)
            #expect(try await origin.call("GET", "/api/v1/pulls?version=1.0.2", as: .token(admin)).status == 400)
            #expect(try await origin.call("GET", "/api/v1/pulls?limit=0", as: .token(admin)).status == 400)

            #expect(try await origin.slices.reads.prunePulls(days: 90, batch: 10) == 1)
            #expect(try await page("").pulls.map(\.version) == ["1.0.2", "1.0.1"])
            // Counts outlive the trail.
            #expect(try await sums(origin) == ["foo_bar": [3, 0]])
        }
    }

    @Test func `replicas that prune at once pass each other's rows over`() async throws {
        try await TestOrigin.with(configure: Self.prunesNothing) { origin in
            let edge = try await origin.edge("eu")
            let old = Int(Date().timeIntervalSince1970) - 100 * 86_400
            _ = try await send(batch(1, [pull("1.0.0", at: old), pull("1.0.1", at: old + 1)]), origin, as: edge)
            let store = origin.slices.reads
            try await store.pool.withTransaction { transaction in
                _ = try await transaction.query("SELECT FROM pulls WHERE version = '1.0.0' FOR UPDATE")
                #expect(try await store.prunePulls(days: 90, batch: 10) == 1)
            }
            #expect(try await store.pulls(.init()).map(\.version) == ["1.0.0"])
            #expect(try await store.prunePulls(days: 90, batch: 10) == 1)
        }
    }

    @Test func `I9: a spool that was silent for a year is forgotten, no other`() async throws {
        try await TestOrigin.with(configure: Self.prunesNothing) { origin in
            let edge = try await origin.edge("eu")
            let store = origin.slices.reads
            for spool in ["a", "b"] {
                _ = try await send(
                    batch(1, [pull("1.0.0")], spool: String(repeating: spool, count: 32)), origin, as: edge)
            }
            _ = try await store.pool.execute(
                "UPDATE access_batches SET taken_at = now() - interval '366 days' WHERE spool LIKE 'a%'")
            try await store.pruneSpools()
            let left = try await store.pool.query("SELECT spool FROM access_batches")
            #expect(try left.map { try $0.value("spool", as: String.self) } == [String(repeating: "b", count: 32)])
        }
    }

    @Test func `a crate's numbers are told by version and day to whoever may read it`() async throws {
        try await SliceOrigin.with { origin, alice in
            #expect(try await origin.publish(MadeCrate("Foo-Bar", "1.0.0"), alice).status == 200)
            let store = ReadStore(pool: origin.pool)
            let repository = try #require(try await origin.repositories.find(RepositoryName("main")))
            let holder = EdgeHolder(edgeID: try await edgeID(origin), name: "eu")
            let now = Int(Date().timeIntervalSince1970)
            let today = CalendarDay.text(ofUnix: now)
            let yesterday = CalendarDay.text(ofUnix: now - 86_400)
            let long = CalendarDay.text(ofUnix: now - 40 * 86_400)
            var reads = [
                reads(7), reads(3, version: "1.0.0"), reads(5, version: "1.0.0"), reads(2, version: "1.1.0+b.1"),
            ]
            for (place, day) in [today, yesterday, long, today].enumerated() { reads[place].day = day }
            _ = try await store.take(batch(1, [pull("1.0.0", at: now)], reads: reads), from: holder, now: now)

            let told = try #require(try await store.reads(of: CrateName("foo_bar"), in: repository, days: 30))
            #expect(told.crate == "Foo-Bar" && told.total == 11 && told.indexReads == 7)
            #expect(
                told.versions == [
                    .init(version: "1.0.0", total: 9, days: [today: 1, yesterday: 3]),
                    .init(version: "1.1.0+b.1", total: 2, days: [today: 2]),
                ])
            #expect(try await store.reads(of: CrateName("other"), in: repository, days: 30) == nil)
        }
    }

    private func edgeID(_ origin: SliceOrigin) async throws -> Int64 {
        try await origin.edges.create(name: "eu", region: "", by: .commandLine).record.id
    }

    @Test func `what the origin serves itself is counted before it has left`() async throws {
        try await SliceOrigin.with { origin, alice in
            let crate = MadeCrate("Foo-Bar", "1.0.0")
            #expect(try await origin.publish(crate, alice).status == 200)
            let store = ReadStore(pool: origin.pool)
            let checksum = try #require(SliceOrigin.checksum(of: try crate.crate()))
            let path = "/main/crates/Foo-Bar/1.0.0/\(checksum).crate"
            for number in 1...3 {
                #expect(try await origin.send("GET", path, token: number == 1 ? alice : nil).status == 200)
                #expect(try await store.sums(in: RepositoryName("main")).first?.downloads == number)
            }
            for (method, path) in [
                ("HEAD", path), ("GET", path + "x"), ("HEAD", "/main/index/fo/o-/foo-bar"),
                ("GET", "/main/index/fo/o-/foo-baz"),
                ("GET", "/main/index/config.json"),
            ] {
                _ = try await origin.send(method, path)
            }
            let page = try await origin.send("GET", "/main/index/fo/o-/foo-bar")
            let tag = try #require(page.headers["etag"])
            #expect(
                try await origin.send("GET", "/main/index/fo/o-/foo-bar", headers: ["if-none-match": tag]).status == 304
            )
            let sum = try #require(try await store.sums(in: RepositoryName("main")).first)
            #expect(sum.downloads == 3 && sum.indexReads == 2 && sum.crate == "foo_bar")
            let trail = try await store.pulls(.init())
            #expect(trail.map(\.login) == [nil, nil, "alice"] && trail.allSatisfy { $0.edge == nil })
        }
    }
}
