import Foundation
import NIOCore
import TestSupport
import Testing

/// `longshore-bench nearest` with real cargo: traffic goes to the nearest edge, lock files do not notice.
@Suite(.serialized)
struct NearestJourneyTests {
    /// An origin whose public address is the front's, two edges, and two crates in repository `main`, one of which
    /// needs the other.
    private func withRegistry(
        isPrivate: Bool, _ body: (NearestScene) async throws -> Void
    ) async throws {
        try await RegistryFront.with { front in
            try await LiveSystem.with(publicURL: front.url) { system in
                front.pass(to: system.origin.url)
                try await system.origin.command(["repository", "create", "main"] + (isPrivate ? ["--private"] : []))
                let token = try await system.origin.token(
                    "ann", ["read", "publish-new", "publish-update"].flatMap { ["--action", $0] })
                for crate in [
                    MadeCrate("deep", "1.0.0"),
                    MadeCrate("bar", "1.0.0").needs("deep", "^1", registry: "sparse+\(front.url)/main/index/"),
                ] {
                    let answer = try await httpCall(
                        "PUT", system.origin.url + "/main/api/v1/crates/new", headers: [("authorization", token)],
                        body: ByteBuffer(bytes: try crate.publishBody()))
                    try #require(answer.status == 200, "\(answer.text)")
                }
                try await body(
                    NearestScene(
                        system: system, front: front, token: isPrivate ? token : nil, publishToken: token))
            }
        }
    }

    @Test(arguments: [false, true])
    func `lock files are the same with and without the nearest edge`(isPrivate: Bool) async throws {
        try await withRegistry(isPrivate: isPrivate) { scene in
            scene.list([.init("eu", scene.system.edges[0].url), .init("us", scene.system.edges[1].url)])
            let plain = try await scene.build(try scene.home(), "plain")
            try #require(plain.build.status == 0, "\(plain.build.text)")
            #expect(plain.lock.contains("source = \"\(scene.index)\""))

            let home = try scene.home()
            let before = try scene.configuration(home)
            let written = try await scene.nearest(home, ["--write"])
            try #require(written.status == 0, "\(written.text)")
            #expect(written.output.contains("nearest: "))
            let configured = try scene.configuration(home)
            #expect(configured.hasPrefix(before))

            let through = try await scene.build(home, "through")
            try #require(through.build.status == 0, "\(through.build.text)")
            #expect(through.build.text.contains("Updating `main-nearest` index"))
            #expect(through.lock == plain.lock)

            // The edge is warm now. Neither origin nor canonical address answers, and cargo has nothing.
            await scene.system.origin.stop()
            scene.front.pass(to: "http://127.0.0.1:1")
            let empty = try scene.home(configuration: configured)
            let alone = try await scene.build(empty, "alone")
            try #require(alone.build.status == 0, "\(alone.build.text)")
            #expect(alone.build.text.contains("Downloaded bar v1.0.0"))
            #expect(alone.lock == plain.lock)

            let removed = try await scene.nearest(home, ["--remove"])
            #expect(removed.status == 0, "\(removed.text)")
            #expect(try scene.configuration(home) == before)
        }
    }

    @Test func `publishing goes to the registry itself, whatever edge reads come from`() async throws {
        try await withRegistry(isPrivate: true) { scene in
            scene.list([.init("eu", scene.system.edges[0].url)])
            let home = try scene.home()
            let written = try await scene.nearest(home, ["--write"])
            try #require(written.status == 0, "\(written.text)")
            let project = try scene.project("published")
            let published = try await home.run(
                ["publish", "--registry", "main", "--allow-dirty"], in: project,
                environment: ["CARGO_REGISTRIES_MAIN_TOKEN": scene.publishToken])
            try #require(published.status == 0, "\(published.text)")
            // Same registry: the manifest must not send anybody to the edge.
            let line = try await scene.system.edges[1].get(
                "/main/index/pr/ob/probe", headers: [("authorization", scene.publishToken)])
            #expect(line.status == 200)
            #expect(!line.text.contains("127.0.0.1"), "\(line.text)")
        }
    }

    @Test func `an edge that is dead, foreign or cut off is never chosen, and says why`() async throws {
        try await withRegistry(isPrivate: false) { scene in
            let dead = "http://127.0.0.1:\(try freePort())"
            scene.front.answer("/elsewhere/main/index/config.json", json: #"{"dl":"http://x/","api":"http://x/main"}"#)
            let odd: [ListedEdge] = [
                .init("dead", dead), .init("foreign", scene.front.url + "/elsewhere"),
                .init("away", scene.system.edges[1].url, connected: false), .init("odd", "ftp://edge.example"),
            ]
            scene.list(odd + [.init("eu", scene.system.edges[0].url)])
            let home = try scene.home()
            let found = try await scene.nearest(home, [])
            #expect(found.status == 0, "\(found.text)")
            #expect(found.output.contains("nearest: eu"))
            let lines = found.output.split(separator: "\n").map(String.init)
            func line(_ name: String) -> String { lines.first { $0.hasPrefix(name + " ") } ?? "" }
            #expect(line("dead").contains("Connection refused"))
            #expect(line("foreign").contains("serves another registry"))
            #expect(line("away").contains("not connected to the origin"))
            #expect(line("odd").contains("no plain URL"))

            let before = try scene.configuration(home)
            scene.list(odd)
            let none = try await scene.nearest(home, ["--write"])
            #expect(none.status == 1)
            #expect(none.errors.contains("no edge is healthy"))
            #expect(try scene.configuration(home) == before)
        }
    }
}

/// An edge as the origin's list says it.
private struct ListedEdge {
    let name: String
    let url: String
    let connected: Bool

    init(_ name: String, _ url: String, connected: Bool = true) {
        (self.name, self.url, self.connected) = (name, url, connected)
    }

    var json: String { #"{"name":"\#(name)","region":"","url":"\#(url)","connected":\#(connected),"behind":0}"# }
}

/// What the tests above do again and again.
private struct NearestScene {
    let system: LiveSystem
    let front: RegistryFront
    /// Nil for a public repository.
    let token: String?
    let publishToken: String

    var index: String { "sparse+\(front.url)/main/index/" }

    func list(_ edges: [ListedEdge]) {
        let list = edges.map(\.json).joined(separator: ",")
        front.answer("/main/edges", json: #"{"index":"\#(index)","edges":[\#(list)]}"#)
    }

    /// A home that knows the registry as `main`, as its user wrote it.
    func home(configuration: String? = nil) throws -> RealCargo {
        let own =
            "# mine\n[registries.main]\nindex = \"\(index)\"\n\n[registry]\nglobal-credential-providers = [\"cargo:token\"]"
        return try RealCargo(in: system.folder, configuration: configuration ?? own)
    }

    func configuration(_ home: RealCargo) throws -> String {
        try String(contentsOfFile: home.home + "/config.toml", encoding: .utf8)
    }

    func nearest(_ home: RealCargo, _ flags: [String]) async throws -> ToolResult {
        try await runTool(
            Program.bench.path, ["nearest", index] + flags,
            environment: ["CARGO_HOME": home.home, "CARGO_REGISTRIES_MAIN_TOKEN": token])
    }

    /// A package that needs `bar`, without a lock file.
    func project(_ name: String) throws -> String {
        let folder = "\(system.folder)/\(name)"
        try FileManager.default.createDirectory(atPath: folder + "/src", withIntermediateDirectories: true)
        try """
        [package]
        name = "probe"
        version = "0.1.0"
        edition = "2021"
        description = "made for a test"
        license = "MIT"

        [dependencies]
        bar = { version = "1", registry = "main" }

        """.write(toFile: folder + "/Cargo.toml", atomically: true, encoding: .utf8)
        try "".write(toFile: folder + "/src/lib.rs", atomically: true, encoding: .utf8)
        return folder
    }

    func build(_ home: RealCargo, _ name: String) async throws -> (build: ToolResult, lock: String) {
        let folder = try project(name)
        let build = try await home.run(
            ["build"], in: folder, environment: ["CARGO_REGISTRIES_MAIN_TOKEN": token], seconds: 120)
        return (build, (try? String(contentsOfFile: folder + "/Cargo.lock", encoding: .utf8)) ?? "")
    }
}
