import Facts

extension VersionFacts {
    /// A version with nothing against it; tests change what they are about.
    static func made(
        _ name: String = "foo", _ version: String = "1.2.3", repository: String = "main", bytes: Int? = 1_000,
        origin: Origin = Origin(.published), publishedAt: String? = "2026-01-01T00:00:00Z",
        yank: Yank = Yank(isYanked: false), license: String? = "MIT", hasLicenseFile: Bool = false,
        hasBuildScript: Bool? = false, isProcMacro: Bool? = false, advisories: [AdvisoryMatch] = []
    ) -> VersionFacts {
        VersionFacts(
            repository: repository, name: name, identity: name.lowercased().replacing("-", with: "_"), version: version,
            isPrerelease: version.contains("-"), checksum: String(repeating: "0", count: 64), bytes: bytes,
            origin: origin,
            publishedAt: publishedAt, firstSeenAt: "2026-01-01T00:00:00Z", yank: yank,
            license: LicenseFacts(text: license, hasFile: hasLicenseFile), hasBuildScript: hasBuildScript,
            isProcMacro: isProcMacro, links: nil, dependencies: DependencyCounts(normal: 0, build: 0, dev: 0),
            advisories: advisories, sources: [:])
    }
}

extension AdvisoryMatch {
    static func made(
        _ id: String = "RUSTSEC-2026-0001", _ kind: AdvisoryKind = .vulnerability, vector: String? = nil,
        withdrawn: String? = nil
    ) -> AdvisoryMatch {
        AdvisoryMatch(id: id, kind: kind, title: "t", published: "2026-01-01", withdrawn: withdrawn, vector: vector)
    }

    static let critical = made(vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
    static let medium = made("RUSTSEC-2026-0002", vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L")
}
