import Foundation
import NIOCore
import Postgres
import TestSupport
import Testing

/// B11 and its like: files that are much larger than usual, through real processes.
struct Large {
    /// A registry whose database the test can fill, since publishing thousands of versions would take minutes.
    private func with(_ body: (Live, PostgresPool) async throws -> Void) async throws {
        try await TestDatabase.with { pool, connectionString in
            try await LiveSystem.with(edges: ["eu"], databaseURL: connectionString) { system in
                try await body(try await Live(system), pool)
            }
        }
    }

    @Test func `B11 10,000 versions are one file, which cargo reads through the edge`() async throws {
        try await with { live, pool in
            try await live.have(MadeCrate("b11-crate", "0.0.1"))
            _ = try await pool.execute(
                """
                INSERT INTO versions (crate_id, number, bare_number, checksum, bytes, line)
                SELECT crates.id, '1.0.' || n, '1.0.' || n, decode(repeat('00', 32), 'hex'), 1,
                  '{"name":"b11-crate","vers":"1.0.' || n || '","deps":[],"cksum":"' || repeat('0', 64) || '",'
                    || '"features":{},"yanked":false}'
                FROM crates, generate_series(1, 9998) AS n
                """)
            try await live.have(MadeCrate("b11-crate", "0.9.0"))
            #expect(try await live.lines("b11-crate").count == 10_000)
            for place in live.places {
                let (said, lock) = try await CargoRun(live, at: place.url).resolve(
                    #"b11-crate = { version = "1", registry = "longshore" }"#)
                #expect(lock.contains("version = \"1.0.9998\""), "\(said.text)")
            }
        }
    }

    @Test func `B11 23,000 features are one line of eleven megabytes, and memory stays flat`() async throws {
        try await with { live, pool in
            try await live.have(MadeCrate("b11-wide", "0.0.1"))
            // Every character that a feature's name may have; one feature enables the one before it.
            let characters = "+-._09azAZ\u{E4}\u{6F22}"
            _ = try await pool.execute(
                """
                INSERT INTO versions (crate_id, number, bare_number, checksum, bytes, line)
                SELECT crates.id, '1.0.0', '1.0.0', decode(repeat('00', 32), 'hex'), 1,
                  '{"name":"b11-wide","vers":"1.0.0","deps":[],"cksum":"' || repeat('0', 64) || '","features":{'
                    || (SELECT string_agg('"f' || n || \(characters) || repeat('x', 400) || '":[]', ',')
                        FROM generate_series(1, 23000) AS n)
                    || '},"yanked":false}'
                FROM crates
                """)
            try await live.have(MadeCrate("b11-wide", "0.9.0"))
            let file = try await live.index("b11-wide", Live.asItIs)
            for said in file {
                #expect(said.status == 200 && said.answer.body.readableBytes > 9_500_000, "\(said.place)")
                #expect(said.answer.body == file[0].answer.body, "\(said.place)")
            }
            let (said, lock) = try await CargoRun(live, at: live.system.edges[0].url).resolve(
                #"b11-wide = { version = "1", registry = "longshore" }"#)
            #expect(lock.contains("version = \"1.0.0\""), "\(said.text)")

            let edge = live.system.edges[0]
            let before = try residentBytes(edge.process)
            for _ in 1...40 { _ = try await live.index("b11-wide", Live.asItIs) }
            // 40 answers of 10 MB each; two of them may lie about.
            #expect(try residentBytes(edge.process) < before + (64 << 20))
        }
    }

    private func residentBytes(_ process: ServerProcess?) throws -> Int {
        let pid = try #require(process?.pid)
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        return try #require(status.firstMatch(of: #/VmRSS:\s+(\d+) kB/#).flatMap { Int($0.output.1) }) << 10
    }
}
