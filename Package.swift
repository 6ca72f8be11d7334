// swift-tools-version: 6.2
import PackageDescription

// The floor plan: one target is one room, and `dependencies` says whose doors it may open.
// Arrows point down only: programs, slices, slab, ground. See docs/ARCHITECTURE.md.

let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// What Debian's packages bring.
let systemLibraries: [Target] = [
    .systemLibrary(name: "CZlib", path: "Sources/Shared/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLibpq", path: "Sources/Origin/CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(
        name: "CNghttp2", path: "Sources/Shared/CNghttp2", pkgConfig: "libnghttp2",
        providers: [.apt(["libnghttp2-dev"])]),
]

// Ground floor and slab: what origin and edge share.
let shared: [Target] = [
    .room("Registry", at: "Sources/Shared/Registry", []),
    .room("CrateFile", at: "Sources/Shared/CrateFile", ["Registry", "CZlib", .crypto]),
    .room("Facts", at: "Sources/Shared/Facts", ["Registry", "CrateFile"]),
    .room("PolicyRules", at: "Sources/Shared/PolicyRules", ["Registry", "CrateFile", "Facts"]),
    .room("Signing", at: "Sources/Shared/Signing", ["Registry", .crypto]),
    .room(
        "Hosting", at: "Sources/Shared/Hosting",
        [
            "Signing", .argumentParser, .hummingbird, .logging, .metrics, .metricsAPI, .nio, .nioPosix,
            .serviceLifecycle,
        ]),
]

let origin: [Target] = [
    .room("Postgres", at: "Sources/Origin/Postgres", ["CLibpq", .logging, .nio, .nioPosix]),
    .room(
        "Origin", at: "Sources/Origin",
        [
            "Registry", "CrateFile", "Facts", "PolicyRules", "Signing", "Hosting", "Postgres", .argumentParser,
            .asyncHTTPClient,
            .crypto, .hummingbird, .hummingbirdCore, .logging, .metrics, .nio, .nioFoundation, .nioHTTP1,
            .nioHTTPCompression, .nioHTTPTypes,
            .nioPosix, .serviceLifecycle, .subprocess,
        ],
        except: ["CLibpq", "Postgres", "Main"], resources: [.embedInCode("Database/Migrations")]),
    .program("OriginMain", at: "Sources/Origin/Main", ["Origin"]),
]

let edge: [Target] = [
    .room(
        "EdgeHTTP", at: "Sources/Edge/HTTP",
        ["CNghttp2", "CZlib", .logging, .metrics, .nio, .nioPosix, .nioSSL, .nioTLS]),
    .room(
        "EdgeCache", at: "Sources/Edge/Cache", ["Registry", .crypto, .grdb, .logging, .nio, .nioPosix]),
    .room("EdgeLedger", at: "Sources/Edge/Ledger", ["Registry", .grdb, .logging]),
    .room(
        "Edge", at: "Sources/Edge",
        [
            "Registry", "Signing", "EdgeCache", "EdgeHTTP", "EdgeLedger", "Hosting", "CZlib", .argumentParser,
            .asyncHTTPClient, .crypto, .logging, .metrics, .metricsAPI, .nio, .nioFoundation, .nioHTTP1, .nioPosix,
            .nioSSL, .serviceLifecycle,
        ],
        except: ["HTTP", "Cache", "Ledger", "Main"]),
    .program("EdgeMain", at: "Sources/Edge/Main", ["Edge"]),
]

// The load generator: it knows the registry's rules and file formats, but neither origin nor edge.
let loadTest: [Target] = [
    .room(
        "LoadTest", at: "loadtests",
        [
            "Registry", "CrateFile", "CNghttp2", .argumentParser, .asyncHTTPClient, .crypto, .histogram, .nio,
            .nioHTTP1, .nioPosix, .nioSSL, .nioTLS, .subprocess,
        ],
        except: [
            "Main", "README.md", "results", "scenarios", "peers", "measure-closure", "measure-fanout", "measure-peers",
            "measure-wan", "measure-scale", "scale", "namespaces.sh", "common.sh",
        ]),
    .program("LoadTestMain", at: "loadtests/Main", ["LoadTest"]),
]

let tests: [Target] = [
    .room(
        "TestSupport", at: "Tests/Support",
        [
            "Registry", "CrateFile", "Signing", "Hosting", "Postgres", "Origin", .asyncHTTPClient, .crypto, .logging,
            .nio, .nioHTTP1, .nioPosix, .serviceLifecycle, .subprocess,
        ]),
    .tests("RegistryTests", ["Registry"]),
    .tests("CrateFileTests", ["CrateFile", "Registry", "TestSupport", "CZlib", .crypto]),
    .tests("FactsTests", ["Facts", "CrateFile", "Registry", "TestSupport"]),
    .tests("PolicyRulesTests", ["Facts", "PolicyRules", "Registry"]),
    .tests("SigningTests", ["Registry", "Signing"]),
    .tests(
        "HostingTests",
        ["Hosting", .asyncHTTPClient, .hummingbird, .logging, .metricsAPI, .nio, .nioHTTP1, .serviceLifecycle]),
    .tests("PostgresTests", ["Postgres", "TestSupport", .logging]),
    .tests(
        "OriginTests",
        [
            "Origin", "Postgres", "CrateFile", "Facts", "Hosting", "PolicyRules", "Registry", "Signing", "TestSupport",
            .asyncHTTPClient, .crypto,
            .hummingbird, .logging, .nio, .nioFoundation, .nioHTTP1, .serviceLifecycle,
        ]),
    .tests("EdgeHTTPTests", ["EdgeHTTP", "TestSupport", .logging, .nio, .nioPosix, .nioSSL, .subprocess]),
    .tests("EdgeCacheTests", ["EdgeCache", "Registry", "TestSupport", .crypto, .logging, .nio]),
    .tests("EdgeLedgerTests", ["EdgeLedger", "Registry", "TestSupport", .grdb, .logging]),
    .tests(
        "EdgeTests",
        [
            "Edge", "EdgeCache", "EdgeHTTP", "EdgeLedger", "Hosting", "Registry", "Signing", "TestSupport",
            .asyncHTTPClient, .crypto, .logging, .nio, .nioHTTP1, .nioPosix, .serviceLifecycle,
        ]),
    .tests(
        "ConformanceTests",
        ["Registry", "CrateFile", "Postgres", "TestSupport", .crypto, .nio]),
    .tests("SimulationTests", ["Edge", "EdgeCache", "Origin", "Registry", .nio]),
    .tests(
        "JourneyTests",
        [
            "EdgeHTTP", "Registry", "CrateFile", "Postgres", "TestSupport", .asyncHTTPClient, .crypto, .logging, .nio,
            .nioHTTP1,
        ]),
    .tests(
        "FaultTests",
        ["Registry", "CrateFile", "Postgres", "TestSupport", .asyncHTTPClient, .crypto, .nio, .nioHTTP1]),
    .tests(
        "LoadTestTests",
        ["LoadTest", "EdgeHTTP", "CrateFile", "Registry", "TestSupport", .argumentParser, .logging, .nio, .nioPosix]),
    .tests("TidyTests", ["Edge", "Hosting", "Origin"]),
]

let package = Package(
    name: "longshore",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "longshore-origin", targets: ["OriginMain"]),
        .executable(name: "longshore-edge", targets: ["EdgeMain"]),
        .executable(name: "longshore-bench", targets: ["LoadTestMain"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: systemLibraries + shared + origin + edge + loadTest + tests
)

extension Target {
    static func room(
        _ name: String, at path: String, _ dependencies: [Dependency], except: [String] = [],
        resources: [Resource]? = nil
    ) -> Target {
        .target(
            name: name, dependencies: dependencies, path: path, exclude: except, resources: resources,
            swiftSettings: house)
    }

    static func program(_ name: String, at path: String, _ dependencies: [Dependency]) -> Target {
        .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: house)
    }

    static func tests(_ name: String, _ dependencies: [Dependency]) -> Target {
        .testTarget(name: name, dependencies: dependencies, swiftSettings: house)
    }
}

extension Target.Dependency {
    static let argumentParser: Self = .product(name: "ArgumentParser", package: "swift-argument-parser")
    static let asyncHTTPClient: Self = .product(name: "AsyncHTTPClient", package: "async-http-client")
    static let crypto: Self = .product(name: "Crypto", package: "swift-crypto")
    static let grdb: Self = .product(name: "GRDB", package: "GRDB.swift")
    static let histogram: Self = .product(name: "Histogram", package: "hdrhistogram-swift")
    static let hummingbird: Self = .product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore: Self = .product(name: "HummingbirdCore", package: "hummingbird")
    static let logging: Self = .product(name: "Logging", package: "swift-log")
    static let metrics: Self = .product(name: "Metrics", package: "swift-metrics")
    static let metricsAPI: Self = .product(name: "CoreMetrics", package: "swift-metrics")
    static let nio: Self = .product(name: "NIOCore", package: "swift-nio")
    static let nioFoundation: Self = .product(name: "NIOFoundationCompat", package: "swift-nio")
    static let nioHTTP1: Self = .product(name: "NIOHTTP1", package: "swift-nio")
    static let nioHTTPCompression: Self = .product(name: "NIOHTTPCompression", package: "swift-nio-extras")
    static let nioHTTPTypes: Self = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
    static let nioPosix: Self = .product(name: "NIOPosix", package: "swift-nio")
    static let nioSSL: Self = .product(name: "NIOSSL", package: "swift-nio-ssl")
    static let nioTLS: Self = .product(name: "NIOTLS", package: "swift-nio")
    static let serviceLifecycle: Self = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let subprocess: Self = .product(name: "Subprocess", package: "swift-subprocess")
}
