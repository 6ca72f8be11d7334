import AsyncHTTPClient
import Foundation
import Postgres
import Registry
import Signing
import TestSupport
import Testing

@testable import Origin

struct FeedTests {
    private struct Undone: Error {}

    private func append(_ events: [RegistryEvent], _ pool: PostgresPool) async throws -> UInt64 {
        try await pool.withTransaction { try await EventLog().append(events, in: $0) }
    }

    // I3
    @Test func `I3: positions are gapless for every reader, however transactions overlap and fail`() async throws {
        try await TestOrigin.with(replicas: 2) { origin in
            let edge = try await origin.edge("eu")
            let start = try await origin.slices.repositories.list().position
            var readers: [FeedReader] = []
            for replica in 0..<2 {
                readers.append(try await FeedReader(origin, edge: edge, after: "latest", replica: replica))
            }
            let written = try await Self.overlap(50, on: origin.databaseURL)
            var seen: [[FeedEvent]] = []
            for index in readers.indices {
                var events: [FeedEvent] = []
                while events.count < written, let event = try await readers[index].nextChange() { events.append(event) }
                seen.append(events)
            }
            let positions = (1...UInt64(written)).map { start + $0 }
            #expect(seen[0].map(\.id) == positions)
            #expect(seen[0] == seen[1])
        }
    }

    /// Runs transactions that are all open at once, on a connection each, before the first one appends; a fifth fail.
    ///
    /// - Returns: how many events were committed.
    private static func overlap(_ count: Int, on databaseURL: String) async throws -> Int {
        var configuration = PostgresConfiguration(connectionString: databaseURL)
        configuration.connectionsMax = count
        // They wait for each other; on a slow machine that is no failure.
        for limit in [\PostgresConfiguration.leaseTimeout, \.connectTimeout, \.statementTimeout, \.lockTimeout] {
            configuration[keyPath: limit] = .seconds(60)
        }
        let pool = try await PostgresPool.open(configuration, logger: .test)
        let (open, opened) = AsyncStream<Void>.makeStream()
        let everyoneIsIn = Task {
            var waiting = count
            for await _ in open where waiting > 0 {
                waiting -= 1
                if waiting == 0 { return }
            }
        }
        let written = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<count {
                group.addTask {
                    let events = Array(repeating: RegistryEvent.token(subject: "\(number)"), count: number % 3 + 1)
                    do {
                        try await pool.withTransaction { transaction in
                            _ = try await transaction.query("SELECT 1")
                            opened.yield()
                            await everyoneIsIn.value
                            _ = try await EventLog().append(events, in: transaction)
                            if number % 5 == 0 { throw Undone() }
                        }
                        return events.count
                    } catch is Undone {
                        return 0
                    } catch {
                        // The others wait for this one in vain.
                        everyoneIsIn.cancel()
                        throw error
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        await pool.close()
        return written
    }

    @Test func `the first event is a lease with the head, and resuming starts behind the position`() async throws {
        try await TestOrigin.with { origin in
            let edge = try await origin.edge("eu")
            for number in 0..<5 { _ = try await append([.token(subject: "\(number)")], origin.slices.pool) }
            var reader = try await FeedReader(origin, edge: edge, after: "3")
            let lease = try await reader.next()
            #expect(lease?.kind == "lease")
            #expect(lease?.head == 6)
            var ids: [UInt64?] = []
            for _ in 0..<3 { ids.append(try await reader.nextChange()?.id) }
            #expect(ids == [4, 5, 6])
        }
    }

    @Test func `a position that is gone, or was never given out, is answered with reset`() async throws {
        try await TestOrigin.with { origin in
            let edge = try await origin.edge("eu")
            for number in 0..<20 { _ = try await append([.token(subject: "\(number)")], origin.slices.pool) }
            let pruned = try await FeedStore(pool: origin.slices.pool).prune(rowsMin: 5, secondsMin: 0, batch: 1000)
            #expect(pruned == 16)
            for after in ["3", "9999"] {
                var reader = try await FeedReader(origin, edge: edge, after: after)
                let first = try await reader.next()
                #expect(first?.kind == "reset")
                #expect(first?.head == 21)
                let next = try await append([.keys], origin.slices.pool)
                #expect(try await reader.nextChange()?.id == next)
                // The next round starts from the same head.
                _ = try await origin.slices.pool.execute("DELETE FROM feed WHERE position = \(next)")
                _ = try await origin.slices.pool.execute("UPDATE feed_head SET position = \(next - 1)")
            }
        }
    }

    @Test func `retention keeps what is young or among the newest`() async throws {
        try await TestDatabase.with { pool, _ in
            for number in 0..<20 { _ = try await append([.token(subject: "\(number)")], pool) }
            let store = FeedStore(pool: pool)
            #expect(try await store.prune(rowsMin: 5, secondsMin: 3600, batch: 1000) == 0)
            _ = try await pool.execute("UPDATE feed SET at = now() - interval '2 hours' WHERE position <= 8")
            #expect(try await store.prune(rowsMin: 15, secondsMin: 3600, batch: 1000) == 5)
            #expect(try await store.prune(rowsMin: 5, secondsMin: 3600, batch: 2) == 2)
            #expect(try await store.prune(rowsMin: 5, secondsMin: 3600, batch: 1000) == 1)
            #expect(try await store.page(after: 8, rowsMax: 100).frames.map(\.position) == Array(9...20))
            #expect(try await store.page(after: 7, rowsMax: 100).isGone)
        }
    }

    @Test func `an edge whose credential is revoked is cut off`() async throws {
        try await TestOrigin.with { origin in
            var reader = try await FeedReader(origin, edge: try await origin.edge("eu"), after: "latest")
            _ = try await reader.next()
            try await origin.slices.edges.revoke(name: "eu", by: .commandLine)
            #expect(try await reader.nextChange()?.kind == "edges")
            #expect(try await reader.next() == nil)
        }
    }

    // I9
    @Test func `I9: an edge that reads nothing is cut off and holds nobody back`() async throws {
        try await TestOrigin.with { origin in
            let slow = try await FeedReader(origin, edge: try await origin.edge("slow"), after: "latest")
            var quick = try await FeedReader(origin, edge: try await origin.edge("quick"), after: "latest")
            // Some 400 bytes each, so that a few rounds are more than the sockets' buffers hold.
            let change = RegistryEvent.IndexChange(
                repository: try RepositoryName("r" + String(repeating: "x", count: 63)),
                crate: try CrateName("c" + String(repeating: "x", count: 63)), generation: 1,
                checksum: SecretToken(kind: .edge).hash, bytes: 1)
            var last: UInt64 = 0
            var rounds = 0
            while origin.slices.streams.summary.edges == 2, rounds < 60 {
                last = try await append(Array(repeating: .index(change), count: 4000), origin.slices.pool)
                rounds += 1
                while let event = try await quick.nextChange(), event.id != last {}
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(origin.slices.streams.summary.edges == 1)
            #expect(try await quick.next() != nil)
            _ = slow
        }
    }
}

struct EdgeWaitTests {
    private func acknowledge(_ origin: TestOrigin, _ edge: String, _ stream: String, _ position: UInt64, replica: Int)
        async throws
    {
        let answer = try await origin.call(
            "POST", EdgeWire.ackPath, as: .edge(edge), json: #"{"stream":"\#(stream)","position":\#(position)}"#,
            replica: replica)
        #expect(answer.status == 204)
    }

    @Test func `nobody waits while no edge is connected`() async throws {
        try await TestOrigin.with { origin in
            #expect(origin.slices.board.behind(UInt64.max).isEmpty)
            await origin.slices.wait.waitForEdges(1_000_000)
        }
    }

    // I10
    @Test func `I10: a change is awaited on edges of every replica, wherever the acknowledgement arrives`() async throws
    {
        try await TestOrigin.with(replicas: 2) { origin in
            let edge = try await origin.edge("eu")
            var reader = try await FeedReader(origin, edge: edge, after: "latest", replica: 1)
            _ = try await reader.next()
            // The publishing replica must have heard that the other one has an edge.
            while origin.slices.board.behind(UInt64.max).isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            let position = try await origin.slices.pool.withTransaction { try await EventLog().append([.keys], in: $0) }
            #expect(try await reader.nextChange()?.id == position)
            #expect(origin.slices.board.behind(position).count == 1)
            // Posted to the replica that does not hold the stream.
            try await acknowledge(origin, edge, reader.stream, position, replica: 0)
            while !origin.slices.board.behind(position).isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            await origin.slices.wait.waitForEdges(position)
        }
    }

    // I12
    @Test func `I12: an edge acknowledges for itself only, and only what it was sent`() async throws {
        try await TestOrigin.with { origin in
            let eu = try await origin.edge("eu")
            let us = try await origin.edge("us")
            var reader = try await FeedReader(origin, edge: eu, after: "latest")
            _ = try await reader.next()
            let position = try await origin.slices.pool.withTransaction { try await EventLog().append([.keys], in: $0) }
            #expect(try await reader.nextChange()?.id == position)
            try await acknowledge(origin, us, reader.stream, position, replica: 0)
            #expect(origin.slices.board.behind(position) == ["eu"])
            try await acknowledge(origin, eu, reader.stream, position + 5, replica: 0)
            #expect(origin.slices.board.behind(position) == ["eu"])
            try await acknowledge(origin, eu, reader.stream, position, replica: 0)
            #expect(origin.slices.board.behind(position).isEmpty)
        }
    }
}
