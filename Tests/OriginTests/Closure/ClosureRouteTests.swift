import CrateFile
import NIOCore
import Postgres
import Registry
import Signing
import TestSupport
import Testing

@testable import Origin

struct ClosureRouteTests {
    /// An answer, cut as `ClosureList` says.
    private struct Closure {
        let list: ClosureList
        let files: [String: String]
        let position: String?

        init(_ answer: Answer) throws {
            try #require(answer.status == 200, "\(answer.status) \(answer.body)")
            let length = answer.bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            list = try #require(ClosureList(parsing: Array(answer.bytes.dropFirst(4).prefix(length))))
            var rest = answer.bytes.dropFirst(4 + length)
            var files: [String: String] = [:]
            for item in list.items {
                guard case .file(let tag, let bytes) = item.state else { continue }
                files[item.path.name] = String(decoding: rest.prefix(bytes), as: UTF8.self)
                #expect(SliceOrigin.checksum(of: Array(rest.prefix(bytes))) == tag.checksum)
                rest = rest.dropFirst(bytes)
            }
            #expect(rest.isEmpty)
            self.files = files
            position = answer.headers["longshore-position"]
        }

        var names: [String] { list.items.map(\.path.name) }
    }

    private func ask(
        _ origin: SliceOrigin, _ edge: String, _ roots: [String], held: [HeldMark] = [], in repository: String = "main"
    ) async throws -> Answer {
        let question = ClosureQuestion(roots: try roots.map { try CrateName($0).indexPath }, held: held)
        return try await origin.send(
            "POST", "/edge/v1/closure/\(repository)", token: "Bearer \(edge)", body: question.bytes)
    }

    private func edge(_ origin: SliceOrigin) async throws -> String {
        try await origin.edges.create(name: "eu", region: "", by: .commandLine).secret.text
    }

    private static let own = "sparse+https://crates.example/main/index/"

    private func crate(_ name: String, _ version: String, needs names: [String] = []) -> MadeCrate {
        names.reduce(MadeCrate(name, version)) { $0.needs($1, "^1", registry: Self.own) }
    }

    @Test func `one question brings the file, its closure, and the position of the snapshot`() async throws {
        try await SliceOrigin.with { origin, alice async throws in
            for made in [
                crate("app", "1.0.0", needs: ["Mid", "gone"]), crate("Mid", "1.0.0", needs: ["leaf"]),
                crate("leaf", "1.0.0"), crate("other", "1.0.0"),
            ] { #expect(try await origin.publish(made, alice).status == 200) }
            let closure = try Closure(try await ask(origin, try await edge(origin), ["app"]))
            #expect(closure.names == ["app", "gone", "mid", "leaf"])
            #expect(closure.list.items[1].state == .absent)
            let head = try await origin.pool.query("SELECT position FROM feed_head").first
            #expect(closure.position == (try head?.value("position", as: Int.self)).map { "\($0)" })
            for (name, path) in [("app", "3/a/app"), ("mid", "3/m/mid"), ("leaf", "le/af/leaf")] {
                let single = try await origin.send("GET", "/main/index/\(path)")
                #expect(closure.files[name] == single.body)
                guard case .file(let tag, _) = closure.list.items.first(where: { $0.path.name == name })?.state else {
                    Issue.record("no file of \(name)")
                    continue
                }
                #expect("\(tag)" == single.headers["etag"])
            }
        }
    }

    @Test func `publish, yank and unyank change what follows`() async throws {
        try await SliceOrigin.with { origin, alice async throws in
            let edge = try await edge(origin)
            for made in [crate("app", "1.0.0", needs: ["old"]), crate("app", "1.1.0", needs: ["new"])] {
                #expect(try await origin.publish(made, alice).status == 200)
            }
            #expect(try Closure(try await ask(origin, edge, ["app"])).names == ["app", "new"])
            for (method, verb, names) in [("DELETE", "yank", ["app", "old"]), ("PUT", "unyank", ["app", "new"])] {
                let path = "/main/api/v1/crates/app/1.1.0/\(verb)"
                #expect(try await origin.send(method, path, token: alice).status == 200)
                #expect(try Closure(try await ask(origin, edge, ["app"])).names == names)
            }
        }
    }

    @Test func `what the edge holds in this state is not sent again`() async throws {
        try await SliceOrigin.with { origin, alice async throws in
            let edge = try await edge(origin)
            for made in [crate("app", "1.0.0", needs: ["leaf"]), crate("leaf", "1.0.0")] {
                #expect(try await origin.publish(made, alice).status == 200)
            }
            let leaf = try CrateName("leaf").indexPath
            let tag = try #require(
                EntityTag(parsing: try await origin.send("GET", "/main/index/le/af/leaf").headers["etag"] ?? ""))
            let warm = try Closure(try await ask(origin, edge, ["app"], held: [HeldMark(leaf, tag)]))
            #expect(warm.list.items[1].state == .same(tag) && warm.files.keys.sorted() == ["app"])
            let other = HeldMark(leaf, EntityTag(generation: 2, checksum: tag.checksum))
            #expect(try Closure(try await ask(origin, edge, ["app"], held: [other])).files.count == 2)
        }
    }

    @Test func `questions that are none, and those of others, are refused`() async throws {
        try await SliceOrigin.with { origin, alice async throws in
            let edge = try await edge(origin)
            for body: [UInt8] in [[], [0, 0, 0, 0], Array(repeating: 1, count: 100)] {
                let answer = try await origin.send(
                    "POST", "/edge/v1/closure/main", token: "Bearer \(edge)", body: body)
                #expect(answer.status == 400)
            }
            let long = [UInt8](repeating: 0, count: ClosureQuestion.bytesMax + 1)
            let tooLong = try await origin.send(
                "POST", "/edge/v1/closure/main", token: "Bearer \(edge)", body: long)
            #expect(tooLong.status == 413)
            let nowhere = try await ask(origin, edge, ["app"], in: "nowhere")
            #expect(nowhere.status == 404 && nowhere.headers["longshore-position"] == nil)
            #expect(try await ask(origin, alice, ["app"]).status == 403)
        }
    }

    // I7: a closure does not leave its repository.
    @Test func `a dependency in another registry is not followed`() async throws {
        try await SliceOrigin.with { origin, alice async throws in
            let made = crate("app", "1.0.0").needs("leaf", "^1", registry: "https://elsewhere.example/index")
                .needs("tested", "^1", kind: .dev, registry: Self.own)
            #expect(try await origin.publish(made, alice).status == 200)
            #expect(try await origin.publish(crate("leaf", "1.0.0"), alice).status == 200)
            #expect(try Closure(try await ask(origin, try await edge(origin), ["app"])).names == ["app"])
        }
    }

    @Test func `crates from before the table are caught up with, and so are those an older replica changed`()
        async throws
    {
        try await SliceOrigin.with { origin, alice async throws in
            let edge = try await edge(origin)
            for made in [crate("app", "1.0.0", needs: ["leaf"]), crate("leaf", "1.0.0")] {
                #expect(try await origin.publish(made, alice).status == 200)
            }
            let catchUp = DependencyCatchUp(pool: origin.pool, logger: .test)
            #expect(try await catchUp.catchUp() == 0)
            _ = try await origin.pool.execute("DELETE FROM dependencies")
            #expect(try Closure(try await ask(origin, edge, ["app"])).names == ["app"])
            #expect(try await catchUp.catchUp() == 2)
            #expect(try Closure(try await ask(origin, edge, ["app"])).names == ["app", "leaf"])
            _ = try await origin.pool.execute("UPDATE dependencies SET generation = 0, names = '{}'")
            // What can't be read keeps nobody from a row.
            _ = try await origin.pool.execute(
                """
                INSERT INTO versions (crate_id, number, bare_number, checksum, bytes, line)
                SELECT id, '1.0', '1.0', decode(repeat('00', 32), 'hex'), 1, 'no line' FROM crates
                """)
            #expect(try await catchUp.catchUp() == 2)
            _ = try await origin.pool.execute("DELETE FROM versions WHERE number = '1.0'")
            #expect(try Closure(try await ask(origin, edge, ["app"])).names == ["app", "leaf"])
        }
    }

    @Test func `a database that has crates gets the table and its rows`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, connectionString in
            let configuration = PostgresConfiguration(connectionString: connectionString)
            let before = Migration.all.filter { $0.number < 3 }
            _ = try await Migrator(before).migrate(configuration, logger: .test)
            let line = #"""
                {"name":"app","vers":"1.0.0","deps":[{"name":"leaf","req":"^1","features":[],"optional":false,\#
                "default_features":true,"target":null,"kind":"normal"}],"cksum":"\#(String(repeating: "0", count: 64))",\#
                "features":{},"yanked":false}
                """#
            try await pool.withTransaction { transaction in
                try await transaction.run(
                    script: """
                        INSERT INTO repositories (name, is_private) VALUES ('main', false);
                        INSERT INTO crates (repository_id, identity, name, generation, index_checksum)
                        SELECT id, 'app', 'app', 1, decode(repeat('00', 32), 'hex') FROM repositories;
                        """)
                _ = try await transaction.execute(
                    """
                    INSERT INTO versions (crate_id, number, bare_number, checksum, bytes, line)
                    SELECT id, '1.0.0', '1.0.0', decode(repeat('00', 32), 'hex'), 1, \(line) FROM crates
                    """)
            }
            let applied = try await Migrator().migrate(configuration, logger: .test)
            #expect(applied.contains { $0.name == "dependencies" })
            #expect(try await DependencyCatchUp(pool: pool, logger: .test).catchUp() == 1)
            let row = try #require(try await pool.query("SELECT generation, names FROM dependencies").first)
            #expect(try row.value("names", as: [String].self) == ["leaf"] && row.value("generation", as: Int.self) == 1)
        }
    }

    /// The files of a part, expanded.
    private func files(_ answer: Answer) throws -> (names: [String], files: [String: String]) {
        try #require(answer.status == 200, "\(answer.status) \(answer.body)")
        let length = answer.bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        let list = try #require(ClosureList(parsing: Array(answer.bytes.dropFirst(4).prefix(length))))
        var rest = answer.bytes.dropFirst(4 + length)
        var files: [String: String] = [:]
        for item in list.items {
            guard case .file(_, let bytes) = item.state else { continue }
            let packed = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            let gunzip = try Gunzip(BytesSource(Array(rest.dropFirst(4).prefix(packed))), unpackedBytesMax: 1 << 20)
            var text = [UInt8](repeating: 0, count: 1 << 20)
            text.removeLast(text.count - (try text.withUnsafeMutableBytes { try gunzip.read(into: $0) }))
            files[item.path.name] = String(decoding: text, as: UTF8.self)
            #expect(text.count == bytes)
            rest = rest.dropFirst(4 + packed)
        }
        #expect(rest.isEmpty)
        return (list.items.map(\.path.name), files)
    }

    @Test func `parts are one wider closure, each file once, and each part is given once`() async throws {
        try await SliceOrigin.with { origin, alice async throws in
            let edge = try await edge(origin)
            for made in [
                crate("app", "1.0.0", needs: ["mid", "gone"]).needs(
                    "extra", "^1", isOptional: true, registry: Self.own),
                crate("mid", "1.0.0", needs: ["leaf"]), crate("leaf", "1.0.0"), crate("extra", "1.0.0"),
            ] { #expect(try await origin.publish(made, alice).status == 200) }
            let question = ClosureQuestion(roots: [try CrateName("app").indexPath])
            func ask(_ part: String, of question: ClosureQuestion) async throws -> Answer {
                try await origin.send(
                    "POST", "/edge/v1/closure/main", token: "Bearer \(edge)",
                    headers: ["longshore-closure-part": part], body: question.bytes)
            }
            // Twice: the second time nothing is packed anew.
            for number in ["0000000000000001", "0000000000000002"] {
                let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                    for index in 0..<3 { group.addTask { try await ask("\(index)/3 \(number)", of: question) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                let parts = try answers.map { try files($0) }
                #expect(parts.flatMap(\.names).sorted() == ["app", "extra", "gone", "leaf", "mid"])
                #expect(Set(answers.map { $0.headers["longshore-position"] }).count == 1)
                for (name, text) in parts.flatMap(\.files) {
                    let path = try CrateName(name).indexPath
                    #expect(try await origin.send("GET", "/main/index/\(path)").body == text)
                }
            }
            #expect(
                try await ask("0/2 0000000000000003", of: question).headers["longshore-closure-part"]
                    == "0/2 0000000000000003")
            #expect(try await ask("0/2 0000000000000003", of: question).status == 400, "given before")
            #expect(try await ask("2/2 0000000000000003", of: question).status == 400)
        }
    }

    @Test func `parts that nobody comes for are bounded, and forgotten`() async throws {
        let shares = ClosureShares(places: ClosurePlaces())
        let question = ClosureQuestion(roots: [try CrateName("app").indexPath])
        func key(_ number: UInt64) -> ClosureShares.Key {
            .init(edge: 1, repository: 1, question: question, number: number, count: 2)
        }
        for number in 0..<16 {
            _ = try await shares.part(0, of: key(UInt64(number))) {
                $0(.list(ClosureList([]), position: 1, weights: []))
            }
        }
        await #expect(throws: Refusal.self) {
            try await shares.part(0, of: key(99)) { $0(.list(ClosureList([]), position: 1, weights: [])) }
        }
        // The second part of one makes room for another question.
        _ = try await shares.part(1, of: key(3)) { _ in }
        _ = try await shares.part(0, of: key(99)) { $0(.list(ClosureList([]), position: 1, weights: [])) }
        await #expect(throws: ClosureStore.Broken.self) {
            _ = try await shares.part(1, of: key(4)) { _ in }
            _ = try await shares.part(0, of: key(100)) { _ in throw ClosureStore.Broken() }
        }
    }
}
