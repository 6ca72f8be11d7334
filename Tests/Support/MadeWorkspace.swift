import Foundation

/// A cargo workspace on disk, made for a test: library packages that call each other.
package struct MadeWorkspace: Sendable {
    package struct Package: Sendable {
        package let name: String
        package let version: String
        /// Names of other packages of the workspace.
        package let needs: [String]

        package init(_ name: String, _ version: String = "1.0.0", needs: [String] = []) {
            self.name = name
            self.version = version
            self.needs = needs
        }
    }

    package let folder: String
    package let packages: [Package]

    /// Writes the workspace.
    ///
    /// - Parameter registry: the name under which cargo's configuration knows the registry.
    package init(in folder: String, registry: String, _ packages: [Package]) throws {
        self.folder = folder
        self.packages = packages
        let versions = Dictionary(uniqueKeysWithValues: packages.map { ($0.name, $0.version) })
        let members = packages.map { "\"\($0.name)\"" }.joined(separator: ", ")
        try write("[workspace]\nresolver = \"2\"\nmembers = [\(members)]\n", to: "Cargo.toml")
        for package in packages {
            let needs = package.needs.map { name in
                "\(name) = { path = \"../\(name)\", version = \"\(versions[name] ?? "1")\", registry = \"\(registry)\" }"
            }
            try write(
                """
                [package]
                name = "\(package.name)"
                version = "\(package.version)"
                edition = "2021"
                description = "made for a test"
                license = "MIT"

                [dependencies]
                \(needs.joined(separator: "\n"))

                """, to: "\(package.name)/Cargo.toml")
            let calls = package.needs.map {
                "    chain.extend(\($0.replacingOccurrences(of: "-", with: "_"))::chain());"
            }
            try write(
                """
                pub fn chain() -> Vec<&'static str> {
                    let mut chain = vec!["\(package.name)"];
                \(calls.isEmpty ? "    chain.dedup();" : calls.joined(separator: "\n"))
                    chain
                }

                """, to: "\(package.name)/src/lib.rs")
        }
    }

    private func write(_ text: String, to path: String) throws {
        let whole = "\(folder)/\(path)"
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: whole).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try text.write(toFile: whole, atomically: true, encoding: .utf8)
    }
}
