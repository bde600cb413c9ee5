//go:build tools

// SPDX-License-Identifier: Apache-2.0

// server has no program of its own: what it needs of k8s.io/kubernetes is an API server and kubectl, which
// tests/e2e/cases_cluster.py builds as they are.
package server

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
