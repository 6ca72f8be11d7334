import Postgres
import TestSupport
import Testing

struct QueryTests {
    @Test func `interpolation binds, and only fixed text becomes SQL`() {
        let name = "x'; DROP TABLE crates; --"
        let query: Query = "SELECT \(literal: "id, name") FROM crates WHERE name = \(name) AND id = \(7)"
        #expect(query.sql == "SELECT id, name FROM crates WHERE name = $1 AND id = $2")
        #expect(query.parameters == [.text(name), .text("7")])
    }

    @Test func `a statement written with numbers takes its values from bind`() {
        let fixed: Query = "SELECT $1::int, $2::text"
        #expect(fixed.bind(1, String?.none).parameters == [.text("1"), .null])
    }

    @Test func `identifiers are quoted`() {
        let query: Query = "DROP DATABASE \(identifier: "a\"b")"
        #expect(query.sql == "DROP DATABASE \"a\"\"b\"")
    }

    @Test func `values of every type come back as they were sent`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, _ in
            let bytes: [UInt8] = Array(0...255)
            let texts = ["", "a,b", "{\"x\": \"\\\\\"}", "NULL", "naïve 🦀", "line\nfeed"]
            let row = try #require(
                try await pool.query(
                    """
                    SELECT \(Int.min)::bigint AS int, \(Int32.max)::int AS int32, \(UInt64(1) << 62)::bigint AS uint64,
                        \(true)::boolean AS yes, \(0.1)::float8 AS double, \("naïve 🦀 \\ '")::text AS text,
                        \(bytes)::bytea AS bytes, \([UInt8]())::bytea AS no_bytes, \(texts)::text[] AS texts,
                        \([String]())::text[] AS no_texts, \(Int?.none)::int AS nothing,
                        (SELECT count(*) FROM unnest(\([1, 2, 3])::bigint[]))::int AS counted,
                        (\([bytes])::bytea[])[1] AS element
                    """
                ).first)
            #expect(try row.value("int") == Int.min)
            #expect(try row.value("int32") == Int32.max)
            #expect(try row.value("uint64") == UInt64(1) << 62)
            #expect(try row.value("yes") == true)
            #expect(try row.value("double") == 0.1)
            #expect(try row.value("text") == "naïve 🦀 \\ '")
            #expect(try row.value("bytes") == bytes)
            #expect(try row.value("no_bytes") == [UInt8]())
            #expect(try row.value("texts") == texts)
            #expect(try row.value("no_texts") == [String]())
            #expect(try row.value("nothing", as: Int?.self) == nil)
            #expect(try row.value("counted") == 3)
            #expect(try row.value("element") == bytes)
        }
    }

    // 2000-02-29, the last second of a year, before 1970, a whole second.
    @Test(arguments: [951_782_400_000_001, 1_798_761_599_999_999, -1, 0, -62_135_596_800_000_000] as [Int64])
    func `a timestamp keeps its microseconds`(microseconds: Int64) async throws {
        try await TestDatabase.with(isMigrated: false) { pool, _ in
            let moment = PostgresTimestamp(microseconds: microseconds)
            let row = try #require(
                try await pool.query(
                    """
                    SELECT \(moment)::timestamptz AS moment,
                        (extract(epoch FROM \(moment)::timestamptz) * 1000000)::bigint AS microseconds
                    """
                ).first)
            #expect(try row.value("moment") == moment)
            #expect(try row.value("microseconds") == microseconds)
        }
    }

    @Test func `a wrong column, type or NULL is an error that names the column`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, _ in
            let row = try #require(try await pool.query("SELECT NULL::int AS gone, 'x' AS letter").first)
            #expect(Self.message { _ = try row.value("gone", as: Int.self) }?.contains("`gone`") == true)
            #expect(Self.message { _ = try row.value("letter", as: Int.self) }?.contains("`letter`") == true)
            #expect(Self.message { _ = try row.value("absent", as: Int.self) }?.contains("`absent`") == true)
        }
    }

    @Test func `text with a zero is refused, not cut`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, _ in
            let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT \("a\0b")::text") }
            #expect(error?.kind == .badParameter)
        }
    }

    @Test func `five thousand wide rows and a value of 4 MiB go both ways`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, _ in
            let rows = try await pool.query("SELECT i, repeat('x', 2000) AS t FROM generate_series(1, 5000) AS i")
            #expect(try rows.map { try $0.value("i", as: Int.self) } == Array(1...5000))
            let big = [UInt8](repeating: 7, count: 4 << 20)
            let back = try await pool.query("SELECT \(big)::bytea AS big").first
            #expect(try back?.value("big") == big)
        }
    }

    @Test func `more statements than a connection keeps all work`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 1) { pool, _ in
            for number in 0..<600 {
                let row = try await pool.query("SELECT 1 AS \(identifier: "c\(number % 300)")").first
                #expect(try row?.value("c\(number % 300)") == 1)
            }
            let rows = try await pool.query("SELECT count(*)::int AS n FROM pg_prepared_statements")
            let kept: Int = try #require(rows.first).value("n")
            #expect(kept <= 256)
        }
    }

    @Test func `a prepared statement outlives a change of its table`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 1) { pool, _ in
            _ = try await pool.execute("CREATE TABLE t (a int)")
            _ = try await pool.query("SELECT * FROM t")
            _ = try await pool.execute("ALTER TABLE t ADD b int")
            _ = try await pool.execute("INSERT INTO t VALUES (1, 2)")
            #expect(try await pool.query("SELECT * FROM t").first?.value("b") == 2)
        }
    }

    private static func message(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return "\(error)" }
        return nil
    }
}
