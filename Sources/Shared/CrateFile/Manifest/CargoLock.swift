package import Registry

/// The packages that a `Cargo.lock` holds a build to.
package struct CargoLock: Hashable, Sendable {
    /// One version that the build uses.
    package struct Package: Hashable, Sendable {
        package let name: CrateName
        package let version: Version
        /// Where it comes from, as cargo wrote it; nil for members of the workspace and for patches by path.
        package let source: String?
        package let checksum: Checksum?

        /// From a registry, whichever.
        package var isFromRegistry: Bool {
            source.map { $0.hasPrefix("registry+") || $0.hasPrefix("sparse+") } ?? false
        }
    }

    /// What is wrong with the file, and where.
    package struct Invalid: Error, Hashable, CustomStringConvertible {
        package let description: String
    }

    package let packages: [Package]

    /// - Throws: the first thing that is wrong with the file.
    package init(parsing text: String) throws(Invalid) {
        let file: ManifestValue
        do {
            file = try ManifestReader.read(text)
        } catch {
            throw Invalid(description: "line \(error.line), column \(error.column): \(error.reason)")
        }
        guard let tables = file["package"]?.array else { throw Invalid(description: "it holds no `[[package]]`") }
        var packages: [Package] = []
        for (number, table) in tables.enumerated() {
            guard let name = table["name"]?.string.flatMap({ try? CrateName($0) }),
                let version = table["version"]?.string.flatMap({ try? Version($0) })
            else { throw Invalid(description: "package \(number + 1) has no name and version that can be read") }
            packages.append(
                Package(
                    name: name, version: version, source: table["source"]?.string,
                    checksum: table["checksum"]?.string.flatMap { Checksum(hex: $0) }))
        }
        self.packages = packages
    }
}
