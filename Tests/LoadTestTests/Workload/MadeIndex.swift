import Registry
import Testing

@testable import LoadTest

/// A small index made for a test, and what a cargo asks of it.
struct MadeIndex {
    /// A dependency of an index line.
    struct Need {
        var name: String
        var requirement = "^1"
        var features: [String] = []
        var isOptional = false
        var usesDefaults = true
        var target: String?
        var kind = IndexDependency.Kind.normal
        var package: String?

        var dependency: IndexDependency {
            get throws {
                IndexDependency(
                    name: name, requirement: try VersionRequirement(requirement), features: features,
                    isOptional: isOptional, usesDefaultFeatures: usesDefaults, target: target, kind: kind,
                    package: package)
            }
        }
    }

    private var versions: [IndexPath: [Candidate]] = [:]

    mutating func add(
        _ name: String, _ version: String = "1.0.0", _ needs: [Need] = [], features: [String: [String]] = [:],
        isYanked: Bool = false, links: String? = nil
    ) throws {
        let dependencies = try needs.map { try $0.dependency }
        let candidate = Candidate(
            name: name, version: try Version(version), dependencies: dependencies,
            features: try #require(FeatureTable(features, dependencies)), isYanked: isYanked, links: links)
        versions[try CrateName(name).indexPath, default: []].append(candidate)
    }

    static func root(_ needs: [Need], features: [String: [String]] = [:]) throws -> Candidate {
        try RootPackage.made(name: "app", try needs.map { try $0.dependency }, features)
    }

    /// How a resolution went.
    struct Course: Equatable {
        /// File names only, sorted: the order within a round is free.
        var rounds: [[String]] = []
        /// `name version` of what was chosen; nil if cargo gave up.
        var chosen: [String]?
    }

    func course(_ model: CargoModel) throws -> Course {
        var (model, course) = (model, Course())
        var files: [IndexPath: IndexContents] = [:]
        func ask(_ paths: [IndexPath]) {
            course.rounds.append(paths.map { String("\($0)".split(separator: "/").last ?? "") }.sorted())
            for path in paths { files[path] = versions[path].map(IndexContents.init) ?? .absent }
        }
        for _ in 0..<50 {
            switch model.next(knowing: files) {
            case .ask(let paths): ask(paths)
            case .giveUp(let paths, _):
                if !paths.isEmpty { ask(paths) }
                return course
            case .done(let crates):
                course.chosen = crates.map { "\($0.package.name) \($0.package.version)" }
                return course
            }
        }
        Issue.record("the resolution has no end")
        return course
    }

    /// Of the features' way, without a lock file.
    func course(
        _ needs: [Need], features: [String: [String]] = [:], missing: CargoModel.Missing = .endsIt
    ) throws -> Course {
        try course(CargoModel(root: try Self.root(needs, features: features), missing: missing))
    }
}
