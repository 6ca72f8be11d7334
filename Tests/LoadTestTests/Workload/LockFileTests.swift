import ArgumentParser
import Foundation
import Registry
import TestSupport
import Testing

@testable import LoadTest

struct LockFileTests {
    typealias Need = MadeIndex.Need

    private static let sum = String(repeating: "0a", count: 32)

    /// `[["name", "version", "needs", …]]`; a version with `!` belongs to the workspace.
    private func lock(_ packages: [[String]]) throws -> LockFile {
        let texts = packages.map { words in
            let isLocal = words[1].hasSuffix("!")
            let source = isLocal ? "" : "source = \"sparse+https://r/index/\"\nchecksum = \"\(Self.sum)\"\n"
            let needs = words.dropFirst(2).map { "\"\($0)\"" }.joined(separator: ", ")
            return """
                [[package]]
                name = "\(words[0])"
                version = "\(words[1].filter { $0 != "!" })"
                \(source)dependencies = [\(needs)]

                """
        }
        return try LockFile(parsing: "version = 4\n\n" + texts.joined(separator: "\n"))
    }

    @Test func `packages of a registry are held, those of the workspace are not`() throws {
        let lock = try lock([["app", "0.1.0!", "a"], ["a", "1.0.0", "b"], ["b", "2.0.0"]])
        #expect(lock.packages.map { "\($0.package.name) \($0.package.version)" } == ["a 1.0.0", "b 2.0.0"])
        #expect(lock.packages.map(\.checksum) == [Checksum(hex: Self.sum), Checksum(hex: Self.sum)])
        #expect(lock.direct.map(\.name) == ["a"])
    }

    @Test func `without a workspace what nobody needs is direct`() throws {
        let lock = try lock([["a", "1.0.0", "b"], ["b", "2.0.0"], ["c", "1.0.0"]])
        #expect(lock.direct.map(\.name) == ["a", "c"])
    }

    @Test func `a locked version is taken, whatever is newer, yanked or not`() throws {
        var index = MadeIndex()
        try index.add("a", "1.0.0", [Need(name: "old")], isYanked: true)
        try index.add("a", "1.1.0", [Need(name: "new")])
        for name in ["old", "new"] { try index.add(name) }
        let root = try MadeIndex.root([Need(name: "a")])
        let locked = try lock([["app", "0.1.0!", "a"], ["a", "1.0.0", "old"], ["old", "1.0.0"]])
        let course = try index.course(CargoModel(root: root, lock: locked))
        #expect(course.rounds == [["a"], ["old"]])
        #expect(course.chosen == ["a 1.0.0", "old 1.0.0"])
        #expect(try index.course(CargoModel(root: root)).rounds == [["a"], ["new"]])
    }

    @Test func `of two versions each dependant gets its own`() throws {
        var index = MadeIndex()
        try index.add("a", "1.0.0", [Need(name: "c", requirement: "^1")])
        try index.add("b", "1.0.0", [Need(name: "c", requirement: "^2")])
        for version in ["1.0.0", "1.5.0", "2.0.0", "2.5.0"] { try index.add("c", version) }
        let locked = try lock([
            ["app", "0.1.0!", "a", "b"], ["a", "1.0.0", "c 1.0.0"], ["b", "1.0.0", "c 2.0.0"], ["c", "1.0.0"],
            ["c", "2.0.0"],
        ])
        let root = try MadeIndex.root([Need(name: "a"), Need(name: "b")])
        #expect(
            try index.course(CargoModel(root: root, lock: locked)).chosen == [
                "a 1.0.0", "b 1.0.0", "c 1.0.0", "c 2.0.0",
            ])
    }

    @Test func `alone it says which optional dependencies are there`() throws {
        var index = MadeIndex()
        let optional = [Need(name: "x", isOptional: true), Need(name: "y", isOptional: true)]
        try index.add("a", "1.0.0", optional, features: ["default": ["y"]])
        for name in ["x", "y"] { try index.add(name) }
        // Built with `x` and without default features: only the file knows.
        let text = """
            version = 4

            [[package]]
            name = "app"
            version = "0.1.0"
            dependencies = [
             "a",
            ]

            [[package]]
            name = "a"
            version = "1.0.0"
            source = "registry+https://github.com/rust-lang/crates.io-index"
            checksum = "\(Self.sum)"
            dependencies = [
             "x",
            ]

            [[package]]
            name = "x"
            version = "1.0.0"
            source = "registry+https://github.com/rust-lang/crates.io-index"
            checksum = "\(Self.sum)"

            """
        let (root, lock) = try RootPackage.lockFile(text, name: "lock file")
        let course = try index.course(CargoModel(root: root, lock: lock, guide: .lockFile))
        #expect(course.rounds == [["a"], ["x"]])
        #expect(course.chosen == ["a 1.0.0", "x 1.0.0"])
    }

    @Test(arguments: ["[[package]]\nname = \"a\"\n", "[[package]]\nname = \"a\"\nversion = \"one\"\n", "name = "])
    func `what is no lock file is refused`(text: String) {
        #expect(throws: BenchFailure.self) { try LockFile(parsing: text) }
    }
}

struct RootPackageTests {
    @Test func `a manifest's tables become dependencies of their kind and platform`() throws {
        let root = try RootPackage.manifest(
            """
            [package]
            name = "app"
            version = "0.1.0"
            [dependencies]
            serde = { version = "1", features = ["derive"], default-features = false }
            alias = { package = "real", version = "2", optional = true }
            beside = { path = "../beside" }
            far = { git = "https://git.example/far" }
            [dev-dependencies]
            tester = "0.3"
            [build-dependencies]
            cc = "*"
            [target.'cfg(windows)'.dependencies]
            winapi = "0.3"
            [features]
            f = ["dep:alias"]
            """, registry: nil)
        let found = root.dependencies.map { "\($0.name) \($0.crate) \($0.requirement) \($0.kind) \($0.target ?? "-")" }
        #expect(
            found.sorted() == [
                "alias real ^2 normal -", "cc cc * build -", "serde serde ^1 normal -", "tester tester ^0.3 dev -",
                "winapi winapi ^0.3 normal cfg(windows)",
            ])
        let serde = try #require(root.dependencies.first { $0.name == "serde" })
        #expect(serde.features == ["derive"] && !serde.usesDefaultFeatures)
    }

    @Test func `only dependencies of the named registry count, if one is named`() throws {
        let text = """
            [package]
            name = "app"
            version = "0.1.0"
            [dependencies]
            ours = { version = "1", registry = "longshore" }
            theirs = { version = "1", registry = "other" }
            """
        #expect(try RootPackage.manifest(text, registry: "longshore").dependencies.map(\.name) == ["ours"])
    }

    @Test(arguments: [
        "[dependencies]\na = \"one\"", "[dependencies]\na = { workspace = true }", "[dependencies",
        "[features]\nf = [\"gone\"]", "[workspace]\nmembers = [\"a\"]\n[dependencies]\na = \"1\"",
    ])
    func `a manifest that can't be resolved is refused`(text: String) {
        #expect(throws: BenchFailure.self) { try RootPackage.manifest(text, registry: nil) }
    }

    @Test(arguments: [
        ("--manifest", "[package]\nname = \"a\"", "nothing to resolve"),
        ("--lock", "version = 4", "nothing to resolve"),
        ("--manifest", "[dependencies", "file: failed to parse"),
        ("--lock", "[[package]]\nname = \"a\"", "file: this is no"),
        ("--apps", "[]", "such as {\"ripgrep\""), ("--crates", ",", "nothing to resolve"),
    ])
    func `what names nothing to resolve is refused with its file`(
        flag: String, text: String, reason: String
    ) async throws {
        try await withTemporaryFolder("resolved") { folder in
            let path = "\(folder)/file"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let things = try ResolvedThings.parse([flag, flag == "--crates" ? text : path])
            let failure = #expect(throws: BenchFailure.self) { try things.applications() }
            #expect(failure?.description.contains(reason) == true, "\(failure?.description ?? "")")
        }
    }

    @Test func `crates are given with or without a requirement`() throws {
        let root = try RootPackage.crates(["serde", "tokio@1.38"])
        #expect(root.dependencies.map { "\($0.crate) \($0.requirement)" } == ["serde *", "tokio ^1.38"])
        #expect(throws: BenchFailure.self) { try RootPackage.crates(["../x"]) }
        #expect(throws: BenchFailure.self) { try RootPackage.crates(["a@one"]) }
    }

    @Test func `an index file is read as cargo reads it: bad lines are not there`() throws {
        let text = """
            {"name":"a","vers":"1.0.0","deps":[],"cksum":"\(String(repeating: "0a", count: 32))","features":{},"yanked":false}
            no JSON
            {"name":"a","vers":"1.1.0","deps":[],"cksum":"\(String(repeating: "0a", count: 32))","features":{"f":["gone"]},"yanked":false}
            {"name":"a","vers":"0.9.0","deps":[],"cksum":"\(String(repeating: "0a", count: 32))","features":{},"yanked":true}
            """
        let versions = IndexContents(parsing: text.utf8).versions
        #expect(versions.map { "\($0.version)" } == ["1.0.0", "0.9.0"])
        #expect(versions.map(\.isYanked) == [false, true])
    }
}
