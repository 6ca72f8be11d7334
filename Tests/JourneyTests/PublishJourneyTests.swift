import Foundation
import TestSupport
import Testing

/// Publishing with real cargo: to the origin, visible on both edges when the command returns.
@Suite(.serialized)
struct PublishJourneyTests {
    private func configuration(_ edge: LiveEdge, repository: String = "main") -> String {
        """
        [registries.longshore]
        index = "\(edge.index(repository))"
        credential-provider = "cargo:token"
        """
    }

    @Test(arguments: OtherCargos.all)
    func `a workspace with three levels goes in one command and is on both edges`(cargo program: String) async throws {
        try await LiveSystem.with { system in
            try await system.origin.command(["repository", "create", "main"])
            let token = try await system.origin.token("ann", ["--action", "publish-new", "--repository", "main"])
            let names = (1...20).map { "pier-\($0)" }
            // 1...8 stand alone, 9...16 need two of them, 17...20 need two of those.
            let packages = names.enumerated().map { place, name in
                switch place {
                case 0..<8: MadeWorkspace.Package(name)
                case 8..<16: MadeWorkspace.Package(name, needs: [names[place - 8], names[(place - 7) % 8]])
                default: MadeWorkspace.Package(name, needs: [names[place - 8], names[place - 7]])
                }
            }
            let workspace = try MadeWorkspace(in: system.folder + "/ws", registry: "longshore", packages)
            let cargo = try RealCargo(
                in: system.folder, configuration: configuration(system.edges[0]), program: program)
            let published = try await publishAll(workspace, cargo, token: token)
            #expect(published.status == 0, "\(published.text)")
            for name in names {
                for edge in system.edges {
                    let file = try await edge.get("/main/index/pi/er/\(name)")
                    #expect(file.status == 200, "\(name) on \(edge.name)")
                    #expect(file.text.contains("\"vers\":\"1.0.0\""))
                    // The manifests name the edge that cargo published through; in the index that is "here".
                    #expect(!file.text.contains("\"registry\":\"sparse"), "\(file.text)")
                }
            }
            try await build(using: names[19], through: system.edges[1], in: system, program: program)
        }
    }

    /// `cargo publish --workspace` came with 1.90; older ones publish one package after the other.
    private func publishAll(
        _ workspace: MadeWorkspace, _ cargo: RealCargo, token: String
    ) async throws -> ToolResult {
        let environment = ["CARGO_REGISTRIES_LONGSHORE_TOKEN": token]
        let common = ["publish", "--registry", "longshore", "--allow-dirty", "--no-verify"]
        let version = try await cargo.run(["--version"], in: workspace.folder).output
        guard version.contains("1.85") else {
            return try await cargo.run(common + ["--workspace"], in: workspace.folder, environment: environment)
        }
        var last = ToolResult(status: 0, output: "", errors: "")
        for package in workspace.packages where last.status == 0 {
            last = try await cargo.run(common + ["-p", package.name], in: workspace.folder, environment: environment)
        }
        return last
    }

    private func build(
        using name: String, through edge: LiveEdge, in system: LiveSystem, program: String
    ) async throws {
        let project = system.folder + "/app"
        try FileManager.default.createDirectory(atPath: project + "/src", withIntermediateDirectories: true)
        try """
        [package]
        name = "app"
        version = "0.1.0"
        edition = "2021"
        [dependencies]
        \(name) = { version = "1", registry = "longshore" }

        """.write(toFile: project + "/Cargo.toml", atomically: true, encoding: .utf8)
        try "fn main() { println!(\"{:?}\", \(name.replacingOccurrences(of: "-", with: "_"))::chain()); }\n"
            .write(toFile: project + "/src/main.rs", atomically: true, encoding: .utf8)
        let cargo = try RealCargo(in: system.folder, configuration: configuration(edge), program: program)
        let run = try await cargo.run(["run", "-q"], in: project)
        #expect(run.status == 0, "\(run.text)")
        #expect(run.output.contains(name))
    }

    @Test func `a yank is on both edges when the command returns, and so is its undoing`() async throws {
        try await LiveSystem.with { system in
            try await system.origin.command(["repository", "create", "main"])
            let token = try await system.origin.token(
                "ann", ["--action", "publish-new", "--action", "yank", "--repository", "main"])
            let workspace = try MadeWorkspace(in: system.folder + "/ws", registry: "longshore", [.init("bollard")])
            let cargo = try RealCargo(in: system.folder, configuration: configuration(system.edges[0]))
            let environment = ["CARGO_REGISTRIES_LONGSHORE_TOKEN": token]
            let published = try await publishAll(workspace, cargo, token: token)
            try #require(published.status == 0, "\(published.text)")
            for (undo, expected) in [(false, "\"yanked\":true"), (true, "\"yanked\":false")] {
                // Both edges hold the file before it changes: a lazy edge would serve the old one.
                for edge in system.edges { _ = try await edge.get("/main/index/bo/ll/bollard") }
                let yank = try await cargo.run(
                    ["yank", "--registry", "longshore", "bollard@1.0.0"] + (undo ? ["--undo"] : []),
                    in: workspace.folder, environment: environment)
                #expect(yank.status == 0, "\(yank.text)")
                for edge in system.edges {
                    let file = try await edge.get("/main/index/bo/ll/bollard")
                    #expect(file.text.contains(expected), "\(edge.name): \(file.text)")
                }
            }
        }
    }

    @Test func `seven crates in a chain publish without cargo ever polling twice`() async throws {
        try await LiveSystem.with(edgeFlags: ["--access-log", "all"]) { system in
            try await system.origin.command(["repository", "create", "main"])
            let token = try await system.origin.token("ann", ["--action", "publish-new", "--repository", "main"])
            let names = (1...7).map { "link-\($0)" }
            let packages = names.enumerated().map { place, name in
                MadeWorkspace.Package(name, needs: place == 0 ? [] : [names[place - 1]])
            }
            let workspace = try MadeWorkspace(in: system.folder + "/ws", registry: "longshore", packages)
            let cargo = try RealCargo(in: system.folder, configuration: configuration(system.edges[0]))
            let published = try await publishAll(workspace, cargo, token: token)
            #expect(published.status == 0, "\(published.text)")
            // cargo looks for each crate right after its upload; whoever is not there yet is a 404 and a second of sleep.
            let log = try String(contentsOfFile: system.edges[0].logPath, encoding: .utf8)
            let reads = log.split(separator: "\n").filter { $0.contains("/main/index/li/nk/") }
            let afterFirst = reads.drop { !$0.contains("\"status\":\"200\"") }
            #expect(afterFirst.count == names.count, "\(reads.joined(separator: "\n"))")
            #expect(afterFirst.allSatisfy { $0.contains("\"status\":\"200\"") })
        }
    }

    @Test func `a private repository needs a token, and says where to get one`() async throws {
        try await LiveSystem.with(edges: ["eu"]) { system in
            try await system.origin.command(["repository", "create", "secret", "--private"])
            let token = try await system.origin.token(
                "ann", ["--action", "publish-new", "--action", "read", "--repository", "secret"])
            let other = try await system.origin.token("eve", ["--action", "read", "--repository", "elsewhere"])
            let workspace = try MadeWorkspace(in: system.folder + "/ws", registry: "longshore", [.init("hatch")])
            let edge = system.edges[0]
            let cargo = try RealCargo(in: system.folder, configuration: configuration(edge, repository: "secret"))
            let published = try await publishAll(workspace, cargo, token: token)
            try #require(published.status == 0, "\(published.text)")

            let anonymous = try await edge.get("/secret/index/config.json")
            #expect(anonymous.status == 401)
            let challenge = anonymous.header("www-authenticate") ?? ""
            #expect(challenge.hasPrefix("Cargo login_url=\"http"))
            for (secret, status) in [(token, 0), (other, 101)] {
                let home = try RealCargo(in: system.folder, configuration: configuration(edge, repository: "secret"))
                let info = try await home.run(
                    ["info", "--registry", "longshore", "hatch"], in: system.folder,
                    environment: ["CARGO_REGISTRIES_LONGSHORE_TOKEN": secret])
                #expect(info.status == status, "\(info.text)")
            }
        }
    }
}
