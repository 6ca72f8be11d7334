import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import Registry
import TestSupport
import Testing

/// Prints how long a cold edge takes for the resolution of the largest of 30 applications, with and without closures.
///
/// Asserts that every file came, the same with and without closures, warm and cold, and that closures save questions. Runs
/// only with `LONGSHORE_FIGURES_DATA` set. See loadtests/README.md.
@Suite(.serialized)
struct FillFigures {
    private static let folder = ProcessInfo.processInfo.environment["LONGSHORE_FIGURES_DATA"] ?? ""

    @Test(.enabled(if: !folder.isEmpty, "LONGSHORE_FIGURES_DATA names no folder"))
    func `cold resolution through an empty edge`() async throws {
        let all = try PopularClosure.applications(in: Self.folder)
        let largest = try #require(all.max { $0.reachable.count < $1.reachable.count })
        try await TestDatabase.with { pool, connectionString in
            try await load(into: pool)
            print("\(largest.name): \(largest.reachable.count) files in \(largest.rounds.count) rounds")
            var number = 0
            var sizes: Set<Int> = []
            var questions: [String: Int] = [:]
            for delay in [0, 40] {
                for choice in ["off", "on"] {
                    try await TestBalancer.with(delay: .milliseconds(Int64(delay))) { balancer in
                        number += 1
                        try await LiveSystem.with(
                            edges: ["e\(number)"], databaseURL: connectionString, balancer: balancer,
                            edgeFlags: ["--closure-fill", choice]
                        ) { system in
                            try await untilCaughtUp(pool)
                            let (time, bytes) = try await resolve(largest, through: system.edges[0])
                            let again = try await resolve(largest, through: system.edges[0])
                            let metrics = try await httpGet(system.edges[0].managementURL + "/metrics").text
                            sizes.formUnion([bytes, again.bytes])
                            questions[choice] = Self.originRequests(metrics)
                            print(
                                "RTT \(2 * delay) ms, closure-fill \(choice): cold \(time), warm \(again.time), \(bytes) bytes"
                            )
                            print(
                                metrics.split(separator: "\n").filter {
                                    $0.hasPrefix("longshore_fill") || $0.hasPrefix("longshore_origin_requests_total")
                                }.joined(separator: "\n"))
                        }
                    }
                }
                #expect(try #require(questions["on"]) < (try #require(questions["off"])), "closures save questions")
            }
            #expect(sizes.count == 1 && !sizes.contains(0), "a file differs with closures, or when it is held")
        }
    }

    /// All that the edge has asked the origin, from its metrics.
    private static func originRequests(_ metrics: String) -> Int {
        metrics.split(separator: "\n").filter { $0.hasPrefix("longshore_origin_requests_total") }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0) { $0 + Int($1) }
    }

    private func load(into pool: PostgresPool) async throws {
        let rows = try await pool.query(
            "INSERT INTO repositories (name, is_private) VALUES ('main', false) RETURNING id")
        try await PopularClosure.load(Self.folder, into: try #require(rows.first).value("id", as: Int64.self), pool)
    }

    private func untilCaughtUp(_ pool: PostgresPool) async throws {
        for _ in 0..<600 {
            let row = try await pool.query(
                "SELECT (SELECT count(*) FROM crates) = (SELECT count(*) FROM dependencies) AS done"
            ).first
            if try row?.value("done", as: Bool.self) == true { return }
            try await Task.sleep(for: .milliseconds(200))
        }
        Issue.record("the origin did not catch up")
    }

    /// As cargo asks: all of a round at once, the next when all answers are there.
    private func resolve(
        _ application: PopularClosure.Application, through edge: LiveEdge
    ) async throws -> (time: Duration, bytes: Int) {
        var configuration = HTTPClient.Configuration()
        // cargo has streams; a connection each comes nearest to them with this client.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 256
        let client = HTTPClient(configuration: configuration)
        let begun = ContinuousClock.now
        var bytes = 0
        for round in application.rounds {
            bytes += try await withThrowingTaskGroup(of: Int.self) { group in
                for path in round {
                    group.addTask {
                        let request = HTTPClientRequest(url: "\(edge.url)/main/index/\(path)")
                        let response = try await client.execute(request, timeout: .seconds(60))
                        #expect(response.status == .ok, "\(path)")
                        return try await response.body.collect(upTo: 64 << 20).readableBytes
                    }
                }
                return try await group.reduce(0, +)
            }
        }
        let time = ContinuousClock.now - begun
        try await client.shutdown()
        return (time, bytes)
    }
}
