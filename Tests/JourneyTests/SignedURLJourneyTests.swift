import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Registry
import TestSupport
import Testing

/// I7: signed URLs from a real origin to a real edge, and real cargo on the way between them.
@Suite(.serialized)
struct SignedURLJourneyTests {
    private struct Scene {
        let system: LiveSystem
        let token: String

        var origin: LiveOrigin { system.origin }
        var edge: LiveEdge { system.edges[0] }

        init(_ system: LiveSystem) async throws {
            self.system = system
            try await system.origin.command(["repository", "create", "secret", "--private"])
            token = try await system.origin.token(
                "ann", ["read", "publish-new"].flatMap { ["--action", $0] } + ["--repository", "secret"])
            let published = try await httpCall(
                "PUT", system.origin.url + "/secret/api/v1/crates/new", headers: [("authorization", token)],
                body: ByteBuffer(bytes: try MadeCrate("keel", "0.3.0").publishBody()))
            try #require(published.status == 200, "\(published.text)")
            // Commands know of a connection within a second.
            for _ in 0..<200 where try await !system.origin.command(["edge", "list"]).output.contains("connected") {
                try await Task.sleep(for: .milliseconds(50))
            }
        }

        func share(_ flags: [String] = []) async throws -> String {
            try await origin.command(["url", "secret", "keel", "0.3.0"] + flags).output
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }

        /// Where the origin sends a download.
        func place(as token: String) async throws -> HTTPAnswer {
            try await httpCall(
                "GET", origin.url + "/secret/dl/keel/0.3.0/download", headers: [("authorization", token)],
                followsRedirects: false)
        }

        /// Waits, ten seconds at most, until downloads go nowhere that begins with `gone`.
        func placeWithout(_ gone: [String]) async throws -> HTTPAnswer {
            var answer = try await place(as: token)
            for _ in 0..<200 where gone.contains(where: { answer.header("location")?.hasPrefix($0 + "/") == true }) {
                try await Task.sleep(for: .milliseconds(50))
                answer = try await place(as: token)
            }
            return answer
        }

        /// Waits until an edge has heard of what was done on the command line.
        func until(_ status: Int, _ url: String) async throws -> HTTPAnswer {
            var answer = try await httpGet(url)
            for _ in 0..<200 where answer.status != status {
                try await Task.sleep(for: .milliseconds(50))
                answer = try await httpGet(url)
            }
            return answer
        }
    }

    private static func keyID(_ url: String) -> String {
        url.firstMatch(of: #/ls-kid=(\w+)/#).map { String($0.output.1) } ?? ""
    }

    @Test func `a share link works without a token until its key is retired; rotation overlaps`() async throws {
        try await LiveSystem.with(edges: ["eu"]) { system in
            let scene = try await Scene(system)
            let first = try await scene.share()
            #expect(first.hasPrefix(scene.edge.url + "/secret/crates/keel/0.3.0/"), "\(first)")
            let answer = try await scene.until(200, first)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(first.contains("\(sha256(answer.body.readableBytesView)).crate"))
            // The unsigned address stays closed.
            #expect(try await httpGet(String(first.split(separator: "?")[0])).status == 401)

            try await scene.origin.command(["key", "rotate", "--now"])
            let second = try await scene.share(["--edge", "eu", "--life", "1h"])
            #expect(Self.keyID(second) != Self.keyID(first))
            #expect(try await scene.until(200, second).status == 200)
            #expect(try await httpGet(first).status == 200)

            try await scene.origin.command(["key", "retire", Self.keyID(first)])
            let refused = try await scene.until(403, first)
            #expect(refused.status == 403)
            #expect(refused.text.contains("retired"), "\(refused.text)")
            #expect(try await httpGet(second).status == 200)

            let keys = try await scene.origin.command(["key", "list", "--json"]).output
            #expect(keys.contains(Self.keyID(first)) && keys.contains(Self.keyID(second)))
            // Neither the edge's log nor the origin's holds a signature.
            let signature = second.split(separator: "ls-sig=")[1]
            for path in [scene.edge.logPath, scene.origin.logPath] {
                #expect(try !String(contentsOfFile: path, encoding: .utf8).contains(signature))
            }
        }
    }

    @Test func `a dead edge gets no downloads: the other does, and without any the origin serves them`() async throws {
        try await LiveSystem.with { system in
            let scene = try await Scene(system)
            let first = try #require(try await scene.place(as: scene.token).header("location"))
            let near = try #require(system.edges.first { first.hasPrefix($0.url + "/") }, "\(first)")
            let far = try #require(system.edges.first { $0.name != near.name })

            await near.killNow()
            let second = try await scene.placeWithout([near.url])
            #expect(second.status == 307)
            #expect(second.header("location")?.hasPrefix(far.url + "/") == true, "\(second.header("location") ?? "")")

            await far.stop()
            let third = try await scene.placeWithout([near.url, far.url])
            #expect(third.status == 200)
            #expect(first.contains("\(sha256(third.body.readableBytesView)).crate"))
        }
    }

    @Test func `a command with another signing secret changes no key unless it is told to begin anew`() async throws {
        try await LiveSystem.with(edges: ["eu"]) { system in
            let scene = try await Scene(system)
            let first = Self.keyID(try await scene.share())
            let other = system.folder + "/other-secret"
            try "another secret, of more than twenty characters".write(
                toFile: other, atomically: true, encoding: .utf8)
            let flags = ["--data", scene.origin.data, "--signing-secret-file", other]
            func keys() async throws -> String { try await scene.origin.command(["key", "list", "--json"]).output }
            let before = try await keys()
            for arguments in [["rotate"], ["rotate", "--now"], ["retire", first]] {
                let refused = try await runTool(Program.origin.path, ["key"] + arguments + flags)
                #expect(refused.status != 0, "\(arguments)")
                #expect(refused.text.contains("--new-secret"), "\(arguments): \(refused.text)")
                #expect(try await keys() == before, "\(arguments)")
            }

            let anew = try await runTool(Program.origin.path, ["key", "rotate", "--new-secret"] + flags)
            #expect(anew.status == 0, "\(anew.text)")
            let retired = try await runTool(Program.origin.path, ["key", "retire", first] + flags)
            #expect(retired.status == 0, "\(retired.text)")
            // Now it is the old secret that opens nothing: the origin signs nothing until it is given the new one.
            #expect(try await scene.place(as: scene.token).status == 200)
            let url = try await runTool(Program.origin.path, ["url", "secret", "keel", "0.3.0"] + flags)
            #expect(url.status == 0, "\(url.text)")
            let second = url.output.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(try await scene.until(200, second).status == 200)
        }
    }

    @Test func `a link that can't be made is refused with the next step`() async throws {
        try await LiveSystem.with(edges: ["eu"]) { system in
            let scene = try await Scene(system)
            for (arguments, reason) in [
                (["secret", "keel", "9.9.9"], "has no crate `keel` 9.9.9"),
                (["none", "keel", "0.3.0"], "no repository"),
                (["secret", "Keel", "0.3.0"], "spelled exactly so"), (["secret", "keel", "x"], "version"),
                (["secret", "keel", "0.3.0", "--edge", "us"], "edge list"),
                (["secret", "keel", "0.3.0", "--life", "2h"], "an hour at most"),
            ] {
                let result = try await runTool(
                    Program.origin.path, ["url"] + arguments + ["--data", scene.origin.data])
                #expect(result.status != 0, "\(arguments)")
                #expect(result.text.contains(reason), "\(arguments): \(result.text)")
                #expect(result.output.isEmpty, "\(result.output)")
            }
        }
    }

    @Test func `what the origin signed for a token ends on connected edges when the token is revoked`() async throws {
        try await LiveSystem.with(edges: ["eu"]) { system in
            let scene = try await Scene(system)
            let admin = try await scene.origin.token("root", ["--action", "admin"])
            let made = try await scene.origin.command([
                "token", "create", "--login", "bob", "--action", "read", "--json",
            ]).output
            let bob = try #require(made.firstMatch(of: #/"secret" : "(lsh_\w+)"/#)).output.1
            let id = try #require(made.firstMatch(of: #/"id" : (\d+)/#)).output.1
            let places = [
                try await scene.place(as: String(bob)), try await scene.place(as: scene.token),
            ]
            #expect(places.map(\.status) == [307, 307], "\(places.map(\.text))")
            let urls = try places.map { try #require($0.header("location")) }
            for url in urls { #expect(try await httpGet(url).status == 200) }

            let revoked = try await httpCall(
                "DELETE", scene.origin.url + "/api/v1/tokens/\(id)", headers: [("authorization", admin)])
            #expect(revoked.status == 200, "\(revoked.text)")
            let refused = try await httpGet(urls[0])
            #expect(refused.status == 403)
            #expect(refused.text.contains("changed or revoked"), "\(refused.text)")
            #expect(try await httpGet(urls[1]).status == 200)

            // The edge knows it after a restart that it makes alone.
            await scene.edge.stop()
            await scene.origin.stop()
            try await scene.edge.start()
            #expect(try await httpGet(urls[0]).status == 403)
            #expect(try await httpGet(urls[1]).status == 200)
        }
    }

    @Test(arguments: OtherCargos.all)
    func `cargo follows the origin's redirect and leaves its token behind`(cargo program: String) async throws {
        // Between cargo and the edge, on an address of its own.
        try await TestBalancer.with { listener in
            try await LiveSystem.with(edges: ["eu"], originFlags: ["--downloads", "redirect"]) { system in
                let scene = try await Scene(system)
                listener.backends = [scene.edge.url]
                try await Self.report(listener.url, as: scene.edge, to: scene.origin)
                let project = system.folder + "/app"
                try FileManager.default.createDirectory(atPath: project + "/src", withIntermediateDirectories: true)
                try """
                [package]
                name = "app"
                version = "0.1.0"
                edition = "2021"
                [dependencies]
                keel = { version = "0.3", registry = "secret" }

                """.write(toFile: project + "/Cargo.toml", atomically: true, encoding: .utf8)
                try "".write(toFile: project + "/src/lib.rs", atomically: true, encoding: .utf8)
                let cargo = try RealCargo(
                    in: system.folder,
                    configuration: """
                        [registries.secret]
                        index = "sparse+\(scene.origin.url)/secret/index/"
                        credential-provider = "cargo:token"
                        """, program: program)
                let fetched = try await cargo.run(
                    ["fetch"], in: project, environment: ["CARGO_REGISTRIES_SECRET_TOKEN": scene.token])
                #expect(fetched.status == 0, "\(fetched.text)")
                #expect(fetched.text.contains("keel v0.3.0"), "\(fetched.text)")

                let heard = listener.heard
                #expect(heard.count == 1)
                let request = try #require(heard.first)
                #expect(request.hasPrefix("GET /secret/crates/keel/0.3.0/"), "\(request)")
                #expect(request.contains("ls-sig="))
                #expect(!request.lowercased().contains("authorization"), "\(request)")
                #expect(!request.contains(scene.token))
            }
        }
    }

    /// Tells the origin another public address of an edge, as the edge itself would.
    private static func report(_ url: String, as edge: LiveEdge, to origin: LiveOrigin) async throws {
        var request = HTTPClientRequest(url: origin.url + "/edge/v1/feed?after=latest")
        request.headers.add(name: "authorization", value: "Bearer \(try edge.credential)")
        request.headers.add(name: EdgeWire.edgeURLHeader, value: url)
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        try #require(response.status == .ok)
    }
}
