/// What the SPDX list says to write today in the place of its deprecated identifiers.
///
/// Only where the list names one successor; the others (`BSD-2-Clause-FreeBSD`, `Net-SNMP` …) stay as they are.
/// Source: https://spdx.org/licenses/, section "Deprecated License Identifiers".
enum DeprecatedLicenses {
    struct Successor {
        let id: String
        let isOrLater: Bool
        let exception: String?

        init(_ id: String, isOrLater: Bool = false, exception: String? = nil) {
            self.id = id
            self.isOrLater = isOrLater
            self.exception = exception
        }
    }

    /// - Parameter id: in the list's spelling.
    static func successor(of id: String) -> Successor? {
        if families.contains(id) { return .init(id + "-only") }
        if id.hasSuffix("+"), families.contains(String(id.dropLast())) { return .init(id.dropLast() + "-or-later") }
        return single[id]
    }

    /// Of `GPL-2.0` with a `+` behind it; nil where `+` is still how one writes it.
    static func orLater(_ id: String) -> Successor? {
        if families.contains(id) { return .init(id + "-or-later") }
        guard id.hasSuffix("-or-later") || id.hasSuffix("-only") else { return nil }
        let stem = id.hasSuffix("-only") ? id.dropLast("-only".count) : id.dropLast("-or-later".count)
        return families.contains(String(stem)) ? .init(stem + "-or-later") : nil
    }

    /// GNU licences, which say "only" or "or later" in their name today.
    static let families: Set<String> = [
        "AGPL-1.0", "AGPL-3.0", "GFDL-1.1", "GFDL-1.2", "GFDL-1.3", "GPL-1.0", "GPL-2.0", "GPL-3.0", "LGPL-2.0",
        "LGPL-2.1", "LGPL-3.0",
    ]

    private static let single: [String: Successor] = [
        "GPL-2.0-with-GCC-exception": .init("GPL-2.0-only", exception: "GCC-exception-2.0"),
        "GPL-2.0-with-autoconf-exception": .init("GPL-2.0-only", exception: "Autoconf-exception-2.0"),
        "GPL-2.0-with-bison-exception": .init("GPL-2.0-only", exception: "Bison-exception-2.2"),
        "GPL-2.0-with-classpath-exception": .init("GPL-2.0-only", exception: "Classpath-exception-2.0"),
        "GPL-2.0-with-font-exception": .init("GPL-2.0-only", exception: "Font-exception-2.0"),
        "GPL-3.0-with-GCC-exception": .init("GPL-3.0-only", exception: "GCC-exception-3.1"),
        "GPL-3.0-with-autoconf-exception": .init("GPL-3.0-only", exception: "Autoconf-exception-3.0"),
        "eCos-2.0": .init("GPL-2.0-or-later", exception: "eCos-exception-2.0"),
        "wxWindows": .init("LGPL-2.0-or-later", exception: "WxWindows-exception-3.1"),
        "Nunit": .init("zlib-acknowledgement"),
        "StandardML-NJ": .init("SMLNJ"),
        "bzip2-1.0.5": .init("bzip2-1.0.6"),
    ]
}
