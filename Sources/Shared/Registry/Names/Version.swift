/// A version by the rules of Semantic Versioning 2: `1.2.3-rc.1+build.5`.
///
/// At most 150 characters, as on crates.io. `description` is exactly the text that was read.
/// Order follows semver; build metadata breaks ties by its text, so that sorting is stable.
/// Source: docs/PROTOCOL.md, "Versions".
package struct Version: Hashable, Sendable, CustomStringConvertible {
    package static let bytesMax = 150

    package let major: UInt64
    package let minor: UInt64
    package let patch: UInt64
    /// Without the `-`; empty for a release.
    package let prerelease: String
    /// Without the `+`; empty for none.
    package let build: String

    package init(_ text: String) throws(Invalid) {
        guard text.utf8.count <= Self.bytesMax else { throw Invalid(text: text, reason: .tooLong) }
        var rest = text[...]
        build = try Self.cut(&rest, after: "+", in: text)
        prerelease = try Self.cut(&rest, after: "-", in: text)
        let numbers = rest.split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 3, let major = Self.number(numbers[0]), let minor = Self.number(numbers[1]),
            let patch = Self.number(numbers[2])
        else { throw Invalid(text: text, reason: .notSemver) }
        guard Self.prereleaseParts(prerelease).allSatisfy({ !Self.isNumberWithLeadingZero($0) }) else {
            throw Invalid(text: text, reason: .notSemver)
        }
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// What makes two versions the same version: everything but the build metadata.
    package var bare: String {
        "\(major).\(minor).\(patch)" + (prerelease.isEmpty ? "" : "-" + prerelease)
    }

    package var description: String { bare + (build.isEmpty ? "" : "+" + build) }

    /// Takes what stands behind the first `mark` off `rest`; dot-separated identifiers, none of them empty.
    private static func cut(
        _ rest: inout Substring, after mark: Character, in text: String
    ) throws(Invalid) -> String {
        guard let place = rest.firstIndex(of: mark) else { return "" }
        let tail = rest[rest.index(after: place)...]
        rest = rest[..<place]
        let parts = tail.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(\.isIdentifierByte) }) else {
            throw Invalid(text: text, reason: .notSemver)
        }
        return String(tail)
    }

    private static func number(_ text: Substring) -> UInt64? {
        guard !text.isEmpty, text.utf8.allSatisfy(\.isDigit), !isNumberWithLeadingZero(text) else { return nil }
        return UInt64(text)
    }

    fileprivate static func prereleaseParts(_ text: String) -> [Substring] { text.split(separator: ".") }

    fileprivate static func isNumberWithLeadingZero(_ part: Substring) -> Bool {
        part.utf8.count > 1 && part.utf8.first == UInt8(ascii: "0") && part.utf8.allSatisfy(\.isDigit)
    }
}

extension Version: Comparable {
    package static func < (left: Version, right: Version) -> Bool {
        let numbers = ((left.major, left.minor, left.patch), (right.major, right.minor, right.patch))
        if numbers.0 != numbers.1 { return numbers.0 < numbers.1 }
        if left.prerelease != right.prerelease { return isPrerelease(left.prerelease, before: right.prerelease) }
        return left.build < right.build
    }

    /// Orders two `prerelease` texts; the empty one, a release, comes last.
    static func isPrerelease(_ left: String, before right: String) -> Bool {
        if left == right { return false }
        if left.isEmpty || right.isEmpty { return !left.isEmpty }
        let parts = (prereleaseParts(left), prereleaseParts(right))
        for (one, other) in zip(parts.0, parts.1) where one != other { return isPart(one, before: other) }
        return parts.0.count < parts.1.count
    }

    /// Numbers come before words; numbers of any length compare by value.
    private static func isPart(_ one: Substring, before other: Substring) -> Bool {
        switch (one.utf8.allSatisfy(\.isDigit), other.utf8.allSatisfy(\.isDigit)) {
        case (true, true): one.utf8.count == other.utf8.count ? one < other : one.utf8.count < other.utf8.count
        case (true, false): true
        case (false, true): false
        case (false, false): one < other
        }
    }
}

extension Version {
    package struct Invalid: Error, Hashable, CustomStringConvertible {
        /// Which rule is broken.
        package enum Reason: Sendable { case tooLong, notSemver }

        package let text: String
        package let reason: Reason

        package var description: String {
            switch reason {
            case .tooLong: "a version may have at most \(Version.bytesMax) characters, not \(text.utf8.count)"
            case .notSemver: "`\(text)` is an invalid semver version: write it like `1.0.0` or `1.0.0-rc.1`"
            }
        }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    fileprivate var isIdentifierByte: Bool {
        isDigit || self == UInt8(ascii: "-") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
    }
}
