import Foundation
import TestSupport
import Testing

/// A private repository of one origin, read through by another with a token of the first.
@Suite(.serialized)
struct OriginBehindOriginTests {
    private struct Listed: Decodable {
        let id: Int
        let login: String
    }

    @Test func `a private repository is read through with a token, and what came stays when the token ends`()
        async throws
    {
        try await LiveSystem.with(edges: []) { source in
            try await source.origin.command(["repository", "create", "main", "--private"])
            let registrar = try await Registrar(source.origin, makesRepository: false)
            try await publish("1.0.0", registrar, source)
            try await LiveSystem.with(edges: ["eu"]) { reader in
                try await readThrough(source, reader)
                let project = try project(reader)
                let cargo = try RealCargo(
                    in: reader.folder,
                    configuration: "[registries.longshore]\nindex = \"\(reader.edges[0].index("main"))\"\n")
                let built = try await cargo.run(["build"], in: project)
                try #require(built.status == 0, "\(built.text)")

                try await publish("1.1.0", registrar, source)
                try await awaitText("1.1.0", in: { try await reader.edges[0].get("/main/index/ti/de/tidewater").text })

                try await publish("1.1.1", registrar, source)
                try await awaitText("1.1.1", in: { try await reader.edges[0].get("/main/index/ti/de/tidewater").text })
                try await mirrors("1.1.1", reader)
                try await publish("1.1.2", registrar, source)
                try await awaitText("1.1.2", in: { try await reader.edges[0].get("/main/index/ti/de/tidewater").text })

                try await revoke("reader", source)
                try await publish("1.2.0", registrar, source)
                try await awaitText("its credential is not accepted", in: { try await listed(reader) })
                try await heldStays(reader)

                let token = try await source.origin.token(
                    "reader", ["--action", "read", "--repository", "main"])
                let file = try write(token, reader)
                try await reader.origin.command(["upstream", "credential", "main", "source", "--file", file])
                try await awaitText("1.2.0", in: { try await reader.edges[0].get("/main/index/ti/de/tidewater").text })
                #expect(try await !reader.origin.command(["upstream", "show", "main"]).text.contains("lsh_"))
                try await reader.origin.command(["upstream", "credential", "main", "source", "--remove"])
                try await awaitText("if it wants a credential", in: { try await listed(reader) })
                let json = try await reader.origin.command(["upstream", "list", "--json"]).output
                #expect(json.contains(#""has_credential" : false"#))
                let log = try String(contentsOfFile: reader.origin.logPath, encoding: .utf8)
                #expect(!log.contains(token))
            }
        }
    }

    private func publish(_ version: String, _ registrar: Registrar, _ source: LiveSystem) async throws {
        let answer = try await registrar.publish(MadeCrate("tidewater", version), to: source.origin.url)
        try #require(answer.status == 200, "\(answer.text)")
    }

    private func readThrough(_ source: LiveSystem, _ reader: LiveSystem) async throws {
        let token = try await source.origin.token("reader", ["--action", "read", "--repository", "main"])
        let index = "sparse+\(source.origin.url)/main/index/"
        try await reader.origin.command(["repository", "create", "main"])
        try await reader.origin.command([
            "upstream", "add", "main", "source", index, "--allow-private", "--fresh-seconds", "1", "--credential-file",
            try write(token, reader),
        ])
    }

    private func write(_ token: String, _ reader: LiveSystem) throws -> String {
        let path = reader.folder + "/source.token"
        try (token + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func project(_ reader: LiveSystem) throws -> String {
        let folder = reader.folder + "/project"
        try FileManager.default.createDirectory(atPath: folder + "/src", withIntermediateDirectories: true)
        try """
        [package]
        name = "harbour"
        version = "0.1.0"
        edition = "2021"

        [dependencies]
        tidewater = { version = "1", registry = "longshore" }
        """.write(toFile: folder + "/Cargo.toml", atomically: true, encoding: .utf8)
        try "extern crate tidewater as _;\n".write(toFile: folder + "/src/lib.rs", atomically: true, encoding: .utf8)
        return folder
    }

    private func revoke(_ login: String, _ source: LiveSystem) async throws {
        let list = try await source.origin.command(["token", "list", "--json"]).output
        let id = try #require(
            try JSONDecoder().decode([Listed].self, from: Data(list.utf8)).first { $0.login == login }?.id)
        try await source.origin.command(["token", "revoke", "\(id)"])
    }

    private func listed(_ reader: LiveSystem) async throws -> String {
        try await reader.origin.command(["upstream", "list"]).output
    }

    /// A command asks with the credential, too, and brings the file.
    private func mirrors(_ version: String, _ reader: LiveSystem) async throws {
        let list = reader.folder + "/list"
        try "tidewater@\(version)\n".write(toFile: list, atomically: true, encoding: .utf8)
        let mirrored = try await reader.origin.command(["mirror", "main", "--list", list])
        #expect(mirrored.output.contains("1 fetched") && mirrored.output.contains("0 missing"), "\(mirrored.text)")
        let exported = try await reader.origin.command(["export", "main", reader.folder + "/out", "--fetch"])
        #expect(exported.output.contains("0 left out") && exported.output.contains("0 faults"), "\(exported.text)")
    }

    /// I11: lines and files that came are there; what never came is 503, never 404.
    private func heldStays(_ reader: LiveSystem) async throws {
        for base in [reader.origin.url, reader.edges[0].url] {
            let index = try await httpGet(base + "/main/index/ti/de/tidewater")
            #expect(index.status == 200 && index.text.contains("1.1.0") && !index.text.contains("1.2.0"))
            #expect(try await httpGet(base + "/main/index/ne/ve/nevermore").status == 503)
        }
        #expect(try await httpGet(reader.origin.url + "/main/dl/tidewater/1.0.0/download").status == 200)
        let missing = try await httpGet(reader.origin.url + "/main/dl/tidewater/1.1.2/download")
        #expect(missing.status == 503)
    }

    private func awaitText(_ text: String, in read: () async throws -> String) async throws {
        var last = ""
        for _ in 0..<300 {
            last = try await read()
            if last.contains(text) { return }
            try await Task.sleep(for: .milliseconds(200))
        }
        Issue.record("`\(text)` did not come within a minute: \(last)")
    }
}
