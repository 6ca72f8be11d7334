import Foundation
import TestSupport

/// Real cargo against one place of the shared registry.
struct CargoRun {
    private let cargo: RealCargo
    private let folder: String
    private let environment: [String: String?]

    /// - Parameters:
    ///   - base: the origin's or an edge's address.
    ///   - more: added to cargo's configuration.
    init(_ live: Live, at base: String, in repository: String = "main", as token: String? = nil, more: String = "")
        throws
    {
        folder = live.system.folder
        cargo = try RealCargo(
            in: folder,
            configuration: """
                [registries.longshore]
                index = "sparse+\(base)/\(repository)/index/"
                credential-provider = "cargo:token"
                [net]
                retry = 0
                \(more)
                """)
        environment = ["CARGO_REGISTRIES_LONGSHORE_TOKEN": token]
    }

    func callAsFunction(_ arguments: [String], in project: String? = nil) async throws -> ToolResult {
        try await cargo.run(arguments, in: project ?? folder, environment: environment, seconds: 120)
    }

    /// A new package on disk; `dependencies` are lines of its manifest.
    func project(_ name: String, version: String = "0.1.0", dependencies: String = "") throws -> String {
        let project = "\(cargo.home)-\(name)"
        try FileManager.default.createDirectory(atPath: project + "/src", withIntermediateDirectories: true)
        try """
        [package]
        name = "\(name)"
        version = "\(version)"
        edition = "2021"
        description = "made for a test"
        license = "MIT"

        [dependencies]
        \(dependencies)

        """.write(toFile: project + "/Cargo.toml", atomically: true, encoding: .utf8)
        try "".write(toFile: project + "/src/lib.rs", atomically: true, encoding: .utf8)
        return project
    }

    /// Resolves a package that needs `dependencies`, and gives its lock file with what cargo said.
    func resolve(_ dependencies: String, name: String = "app") async throws -> (said: ToolResult, lock: String) {
        let project = try project(name, dependencies: dependencies)
        let said = try await self(["generate-lockfile"], in: project)
        let lock = (try? String(contentsOfFile: project + "/Cargo.lock", encoding: .utf8)) ?? ""
        return (said, lock)
    }

    static let publish = ["publish", "--registry", "longshore", "--allow-dirty", "--no-verify"]
}

/// Text that cargo broke over lines and indented, as one line.
func flat(_ text: String) -> String { text.split { $0 == " " || $0 == "\n" }.joined(separator: " ") }
