extension VersionRequirement {
    /// True if `version` is acceptable.
    ///
    /// A pre-release is accepted only if a comparator names a pre-release of the very same numbers.
    package func matches(_ version: Version) -> Bool {
        guard comparators.allSatisfy({ $0.matches(version) }) else { return false }
        return version.prerelease.isEmpty || comparators.contains { $0.namesPrerelease(of: version) }
    }
}

extension VersionRequirement.Comparator {
    fileprivate func matches(_ version: Version) -> Bool {
        switch operation {
        case .exact, .wildcard: isExactly(version)
        case .greater: isBelow(version)
        case .greaterOrEqual: isExactly(version) || isBelow(version)
        case .less: isAbove(version)
        case .lessOrEqual: isExactly(version) || isAbove(version)
        case .tilde: isTilde(version)
        case .caret: isCaret(version)
        }
    }

    fileprivate func namesPrerelease(of version: Version) -> Bool {
        !prerelease.isEmpty && major == version.major && minor == version.minor && patch == version.patch
    }

    private func isExactly(_ version: Version) -> Bool {
        major == version.major && minor ?? version.minor == version.minor && patch ?? version.patch == version.patch
            && prerelease == version.prerelease
    }

    /// `>1` means from 2.0.0 on: what is not written stands for every value.
    private func isBelow(_ version: Version) -> Bool {
        if version.major != major { return version.major > major }
        guard let minor else { return false }
        if version.minor != minor { return version.minor > minor }
        guard let patch else { return false }
        if version.patch != patch { return version.patch > patch }
        return Version.isPrerelease(prerelease, before: version.prerelease)
    }

    private func isAbove(_ version: Version) -> Bool {
        if version.major != major { return version.major < major }
        guard let minor else { return false }
        if version.minor != minor { return version.minor < minor }
        guard let patch else { return false }
        if version.patch != patch { return version.patch < patch }
        return Version.isPrerelease(version.prerelease, before: prerelease)
    }

    private func isTilde(_ version: Version) -> Bool {
        guard version.major == major, minor ?? version.minor == version.minor else { return false }
        if let patch, version.patch != patch { return version.patch > patch }
        return isAtLeastPrerelease(version)
    }

    /// The leftmost number that is not zero must stay.
    private func isCaret(_ version: Version) -> Bool {
        guard version.major == major else { return false }
        guard let minor else { return true }
        guard let patch else { return major > 0 ? version.minor >= minor : version.minor == minor }
        if major > 0 {
            if version.minor != minor { return version.minor > minor }
            if version.patch != patch { return version.patch > patch }
        } else if minor > 0 {
            if version.minor != minor { return false }
            if version.patch != patch { return version.patch > patch }
        } else if version.minor != minor || version.patch != patch {
            return false
        }
        return isAtLeastPrerelease(version)
    }

    private func isAtLeastPrerelease(_ version: Version) -> Bool {
        !Version.isPrerelease(version.prerelease, before: prerelease)
    }
}
