package import Registry

/// What a policy wants to know of a `.crate` and its index line does not say.
package struct ManifestTraits: Hashable, Sendable {
    package let license: LicenseFacts
    /// Code of the crate runs while whoever uses it builds.
    package let hasBuildScript: Bool
    /// Code of the crate runs inside the compiler.
    package let isProcMacro: Bool
    package let links: String?

    package var hasLicenseFile: Bool { license.state == .file }

    package init(license: LicenseFacts, hasBuildScript: Bool, isProcMacro: Bool, links: String?) {
        self.license = license
        self.hasBuildScript = hasBuildScript
        self.isProcMacro = isProcMacro
        self.links = links
    }

    /// Read leniently: what has another type than cargo wants is as if it were not there.
    ///
    /// - Parameters:
    ///   - manifest: the `Cargo.toml` of the crate file.
    ///   - hasBuildFile: true if there is a `build.rs` beside it, which cargo takes unless `package.build` says otherwise.
    package init(_ manifest: ManifestValue, hasBuildFile: Bool) {
        let package = manifest["package"] ?? manifest["project"]
        let library = manifest["lib"]
        let file = (package?["license-file"] ?? package?["license_file"])?.string
        let types = (library?["crate-type"] ?? library?["crate_type"])?.array?.compactMap(\.string) ?? []
        self.init(
            license: LicenseFacts(text: package?["license"]?.string, hasFile: file?.isEmpty == false),
            hasBuildScript: Self.hasBuildScript(package?["build"], hasBuildFile),
            isProcMacro: (library?["proc-macro"] ?? library?["proc_macro"])?.bool == true
                || types.contains("proc-macro"),
            links: package?["links"]?.string)
    }

    private static func hasBuildScript(_ value: ManifestValue?, _ hasBuildFile: Bool) -> Bool {
        switch value {
        case .bool(let isWanted): isWanted
        case .string: true
        case .array(let scripts): !scripts.isEmpty
        default: hasBuildFile
        }
    }
}

/// How many dependencies a version declares, by kind; one that stands for several platforms counts each time.
package struct DependencyCounts: Hashable, Sendable, Codable {
    package let normal: Int
    package let build: Int
    package let dev: Int

    package init(normal: Int, build: Int, dev: Int) {
        self.normal = normal
        self.build = build
        self.dev = dev
    }

    package init(_ dependencies: [IndexDependency]) {
        func count(_ kind: IndexDependency.Kind) -> Int { dependencies.count { $0.kind == kind } }
        self.init(normal: count(.normal), build: count(.build), dev: count(.dev))
    }
}
