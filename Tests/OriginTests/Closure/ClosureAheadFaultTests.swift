import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// What is asked ahead when a name, the database or a limit stands in the way.
struct ClosureAheadFaultTests {
    private static let leaves = (0..<12).map { "leaf\($0)" }

    @Test func `a crate that can't be written takes no other with it, and is not called absent`() async throws {
        try await UpstreamScene.with { scene in
            let pool = scene.origin.slices.pool
            _ = try await pool.execute(
                """
                CREATE FUNCTION refuse_bad() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                  IF NEW.line LIKE '{"name":"bad"%' THEN RAISE EXCEPTION 'not this one'; END IF;
                  RETURN NEW;
                END $$
                """)
            _ = try await pool.execute(
                "CREATE TRIGGER refuse_bad BEFORE INSERT ON versions FOR EACH ROW EXECUTE FUNCTION refuse_bad()")
            try scene.offer("app", needs: Self.leaves + ["bad"])
            for name in Self.leaves + ["bad"] { try scene.offer(name) }
            let closure = try await scene.closure(of: "app", by: scene.ahead())
            #expect(closure.brought == (["app"] + Self.leaves).sorted() && closure.absent == [])
            for name in Self.leaves { #expect(try await scene.index(name).status == 200) }
            // Nobody may take it for absent: cargo would delete its copy.
            #expect(try await scene.index("bad").status == 500)

            _ = try await pool.execute("DROP TRIGGER refuse_bad ON versions")
            #expect(try await scene.index("bad").status == 200)
            #expect(try await scene.closure(of: "app", by: scene.ahead()).brought.contains("bad"))
        }
    }

    @Test func `a line with a character that the database can't hold is served as it is`() async throws {
        try await UpstreamScene.with { scene in
            try scene.offer("app", needs: ["odd", "fine"])
            try scene.offer("odd", extra: #","links":"a\u0000b""#)
            try scene.offer("fine")
            #expect(try await scene.closure(of: "app", by: scene.ahead()).brought == ["app", "fine", "odd"])
            #expect(try await scene.index("odd").text.contains(#""links":"a\u0000b""#))
        }
    }

    @Test func `a likely name that an upstream fails on holds nothing up, and is asked again after its pause`()
        async throws
    {
        try await UpstreamScene.with { scene in
            try scene.offer("app", needs: ["fine", "next"])
            for name in ["fine", "next"] { try scene.offer(name) }
            scene.upstream.set { $0.redirects["ne/xt/next"] = "elsewhere" }
            let ahead = scene.ahead()
            let asked = { scene.upstream.requests.filter { $0 == "ne/xt/next" }.count }
            var closure = try await scene.closure(of: "app", by: ahead)
            #expect(closure.brought == ["app", "fine"] && closure.absent == [])
            #expect(asked() == 1)
            // A closure may be answered a moment before the fault and its pause are written.
            for _ in 0..<1_000 {
                if try await scene.faults().count == 1 { break }
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(try await scene.faults().count == 1)

            // It would wait for two minutes for an answer if it asked.
            scene.upstream.set { $0.isHeld = true }
            closure = try await scene.closure(of: "app", by: ahead)
            #expect(closure.brought == ["app", "fine"] && closure.absent == [])
            #expect(asked() == 1)
            scene.upstream.set { $0.isHeld = false }

            for _ in 0..<100 where asked() < 2 {
                try await scene.endPauses()
                closure = try await scene.closure(of: "app", by: ahead)
            }
            #expect(closure.brought == ["app", "fine"] && closure.absent == [])
            #expect(asked() == 2)

            scene.upstream.set { $0.redirects = [:] }
            for _ in 0..<100 where !closure.brought.contains("next") {
                try await scene.endPauses()
                closure = try await scene.closure(of: "app", by: ahead)
            }
            #expect(closure.brought == ["app", "fine", "next"])
        }
    }

    @Test func `no more names are open than the limit says`() async throws {
        try await UpstreamScene.with { scene in
            try scene.offer("app", needs: Self.leaves)
            for name in Self.leaves { try scene.offer(name) }
            #expect(try await scene.index("app").status == 200)
            scene.upstream.set { $0.isHeld = true }
            var limits = ClosureAhead.Limits.patient
            limits.openMax = 3
            async let closure = scene.closure(of: "app", by: scene.ahead(limits))
            while scene.upstream.requests.count < 1 + 3 { try await Task.sleep(for: .milliseconds(10)) }
            // Time for a fourth to come, if there were one.
            try await Task.sleep(for: .milliseconds(200))
            #expect(scene.upstream.requests.count == 1 + 3)
            scene.upstream.set { $0.isHeld = false }
            #expect(try await closure.brought == (["app"] + Self.leaves).sorted())
        }
    }

    @Test func `while more bytes are unwritten than the limit says, nothing more is asked`() async throws {
        try await UpstreamScene.with { scene in
            try scene.offer("app", needs: ["large"])
            try scene.offer("large", needs: Self.leaves)
            for name in Self.leaves { try scene.offer(name) }
            #expect(try await scene.index("app").status == 200)
            var limits = ClosureAhead.Limits.patient
            limits.bytesMax = 1
            let ahead = scene.ahead(limits)
            let closure = try await scene.origin.slices.pool.withTransaction { transaction in
                // What is heard can be read past it, but not be written.
                _ = try await transaction.execute("LOCK TABLE upstream_files IN SHARE ROW EXCLUSIVE MODE")
                let closure = Task { try await scene.closure(of: "app", by: ahead) }
                while true {
                    if scene.upstream.requests.count >= 2, try await Self.isWaiting(scene) { break }
                    try await Task.sleep(for: .milliseconds(10))
                }
                // Time for a third to come, if there were one.
                try await Task.sleep(for: .milliseconds(200))
                #expect(scene.upstream.requests == ["3/a/app", "la/rg/large"])
                return closure
            }
            #expect(try await closure.value.brought == (["app", "large"] + Self.leaves).sorted())
            // The same names, asked while there is room for them.
            #expect(scene.upstream.requests.count == 2 + Self.leaves.count)
        }
    }

    /// Somebody wants to write what an upstream said, and can't.
    private static func isWaiting(_ scene: UpstreamScene) async throws -> Bool {
        try await !scene.origin.slices.pool.query(
            """
            SELECT FROM pg_locks WHERE NOT granted AND relation = 'upstream_files'::regclass
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """
        ).isEmpty
    }
}
