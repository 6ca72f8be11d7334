import Testing

/// The whole project against each rule, and each rule against a made example, so that no rule is asleep.
struct TidyTests {
    @Test func `files are short`() throws {
        report(try Project.allSwift().flatMap(TidyRules.fileLength))
        #expect(TidyRules.fileLength(made(String(repeating: "a\n", count: 400))) == [])
        #expect(TidyRules.fileLength(made(String(repeating: "a\n", count: 401))).count == 1)
    }

    @Test func `functions are short`() throws {
        report(try Project.allSwift().flatMap(TidyRules.functionLength))
        let body = String(repeating: "        a()\n", count: 59)
        for head in [
            "    func f() {", "    package init?(a: Int) throws {", "    @Test func `a b`() {", "    deinit {",
            "    static func f(\n        a: Int\n    ) -> Int {", "    func f<T>(_ t: T) -> T\n    where T: P {",
        ] {
            #expect(TidyRules.functionLength(made("\(head)\n\(body)    }\n")).count == 1, "\(head)")
        }
        #expect(TidyRules.functionLength(made("    func f() {\n\(body.dropFirst(12))    }\n")) == [])
        #expect(TidyRules.functionLength(made("protocol P {\n    func f()\n\n\(body)    }\n")) == [])
        #expect(TidyRules.functionLength(made("    func f() { a() }\n\(body)    }\n")) == [])
    }

    @Test func `doors are explained`() throws {
        let sources = try Project.sources()
        let required = Set(sources.flatMap(TidyRules.requirements))
        report(sources.flatMap { TidyRules.undocumentedDoors($0, required: required) })
        #expect(TidyRules.requirements(made("protocol P {\n    func read(a: Int)\n}\n    func no()")) == ["read("])
        for door in [
            "package struct A {}", "    package static func f() {}", "package final class A {}", "@A package enum B {}",
            "// no doc comment\npackage protocol P {}", "/// one\n\npackage actor A {}",
        ] {
            #expect(TidyRules.undocumentedDoors(made(door)).count == 1, "\(door)")
        }
        for door in [
            "/// What it is.\n@A\npackage struct A {}", "extension A: P {\n    package func f() {}", "struct A {}",
        ] {
            #expect(TidyRules.undocumentedDoors(made(door)) == [], "\(door)")
        }
    }

    @Test func `no word stands in the code that the style forbids`() throws {
        report(try Project.allSwift().flatMap(TidyRules.forbiddenWords))
        for line in [
            "public struct A {}", "    public import B", "let a = try! b()", "fatalError(\"x\")", "// TODO: later",
            "/* FIXME */",
        ] {
            #expect(TidyRules.forbiddenWords(made(line)).count == 1, "\(line)")
        }
        for line in ["// TODO #12: later", "// never `try!`", "let publicURL = 1", "a() // fatalError( is not used"] {
            #expect(TidyRules.forbiddenWords(made(line)) == [], "\(line)")
        }
    }

    @Test func `rooms import what the floor plan allows`() throws {
        report(try Project.sources().flatMap(TidyRules.strayImports))
        for (path, line) in [
            ("Sources/Shared/Registry/A.swift", "import Crypto"), ("Sources/Shared/Hosting/A.swift", "import Registry"),
            ("Sources/Edge/Feed/A.swift", "package import Postgres"), ("Sources/Edge/HTTP/A.swift", "import Registry"),
            ("Sources/Origin/Postgres/A.swift", "import Hosting"), ("Sources/Origin/A.swift", "import struct Edge.B"),
            ("Sources/Cellar/A.swift", "import Foundation"),
        ] {
            #expect(TidyRules.strayImports(SourceFile(path, line)).count == 1, "\(path) \(line)")
        }
        #expect(TidyRules.strayImports(SourceFile("Sources/Edge/Feed/A.swift", "package import Registry")) == [])
    }

    @Test func `a table is named in its owner's slice only`() throws {
        let (owners, objections) = DatabaseRules.owners(try migrations())
        report(objections)
        #expect(owners["crates"] == "Publish")
        report(try Project.sources().flatMap { DatabaseRules.foreignTables($0, owners: owners) })

        let example = SourceFile("m.sql", "CREATE TABLE a (\n);\n-- Owner: Audit. Why.\n-- More.\nCREATE TABLE b (")
        #expect(DatabaseRules.owners([example]).owners == ["b": "Audit"])
        #expect(DatabaseRules.owners([example]).objections.count == 1)
        let query = "    SELECT 1 FROM b JOIN c ON true // FROM b"
        let stranger = SourceFile("Sources/Origin/Search/S.swift", query)
        #expect(DatabaseRules.foreignTables(stranger, owners: ["b": "Audit"]).count == 1)
        let owner = SourceFile("Sources/Origin/Audit/S.swift", query)
        #expect(DatabaseRules.foreignTables(owner, owners: ["b": "Audit"]) == [])
    }

    @Test func `every migration is listed`() throws {
        let list = try Project.file("Sources/Origin/Database/Migrations.swift")
        report(DatabaseRules.unlisted(try migrations(), list: list))
        let empty = SourceFile("Migrations.swift", "// m0001_a_sql")
        #expect(DatabaseRules.unlisted([SourceFile("x/m0001_a.sql", "")], list: empty).count == 1)
        #expect(DatabaseRules.unlisted([SourceFile("x/0001_a.sql", "")], list: empty).count == 1)
    }

    @Test func `README's commands exist`() throws {
        let makefile = try Project.file("Makefile").lines.compactMap { $0.firstMatch(of: #/^([a-z]+):/#)?.output.1 }
        let commands = try Project.sources().flatMap(\.lines).compactMap {
            $0.firstMatch(of: #/commandName: "([a-z-]+)"/#)?.output.1
        }
        func check(_ readme: SourceFile) -> [String] {
            ReadmeRules.missingCommands(
                readme, verbs: Set(makefile.map(String.init)), commands: Set(commands.map(String.init)),
                exists: Project.has)
        }
        report(check(try Project.file("README.md")))
        let example =
            "./nothing\n```\n$ ./up --data x\n./nothing\nmake nothing\nA=1 longshore-edge nothing\nmake test\n```\n"
        #expect(check(SourceFile("README.md", example)).count == 3)
    }

    /// One issue an objection, so that each can be read and found by its place.
    private func report(_ objections: [String]) {
        for objection in objections { Issue.record("\(objection)") }
    }

    private func made(_ text: String) -> SourceFile { SourceFile("Sources/Made.swift", text) }

    private func migrations() throws -> [SourceFile] {
        try Project.files(in: "Sources/Origin/Database/Migrations", ending: ".sql")
    }
}
