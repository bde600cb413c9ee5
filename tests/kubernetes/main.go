// SPDX-License-Identifier: Apache-2.0

// kubernetes builds the kustomization in each folder that is named, decodes what comes out into the
// API's own types, strictly (an unknown or repeated field is an error), and prints it as one line of
// JSON per object. What refers to something that is not there is an error, too.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	for _, folder := range os.Args[1:] {
		if err := check(folder); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", folder, err)
			os.Exit(1)
		}
	}
}

func check(folder string) error {
	options := krusty.MakeDefaultOptions()
	built, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return err
	}
	known := map[string]bool{} // "ConfigMap gleakd"
	for _, resource := range built.Resources() {
		known[resource.GetKind()+" "+resource.GetName()] = true
	}
	for _, resource := range built.Resources() {
		text, err := resource.MarshalJSON()
		if err != nil {
			return err
		}
		object, err := decode(resource.GetApiVersion(), resource.GetKind(), text)
		if err != nil {
			return fmt.Errorf("%s %s: %w", resource.GetKind(), resource.GetName(), err)
		}
		if set, ok := object.(*appsv1.DaemonSet); ok {
			if err := checkReferences(set, known); err != nil {
				return err
			}
		}
		line, err := json.Marshal(object)
		if err != nil {
			return err
		}
		fmt.Println(string(line))
	}
	return nil
}

func decode(version, kind string, text []byte) (any, error) {
	var object any
	switch version + " " + kind {
	case "v1 Namespace":
		object = &corev1.Namespace{}
	case "v1 ConfigMap":
		object = &corev1.ConfigMap{}
	case "apps/v1 DaemonSet":
		object = &appsv1.DaemonSet{}
	default:
		return nil, fmt.Errorf("no such kind is expected: %s %s", version, kind)
	}
	// As the API server does it: names of fields with their case.
	strict, err := kjson.UnmarshalStrict(text, object)
	if err == nil {
		err = errors.Join(strict...)
	}
	return object, err
}

func checkReferences(set *appsv1.DaemonSet, known map[string]bool) error {
	selector, err := metav1.LabelSelectorAsSelector(set.Spec.Selector)
	if err != nil {
		return err
	}
	if !selector.Matches(labels.Set(set.Spec.Template.Labels)) {
		return fmt.Errorf("selector %v does not match its own pods", selector)
	}
	volumes := map[string]bool{}
	for _, volume := range set.Spec.Template.Spec.Volumes {
		volumes[volume.Name] = true
		if m := volume.ConfigMap; m != nil && !known["ConfigMap "+m.Name] {
			return fmt.Errorf("volume %s: no ConfigMap %s", volume.Name, m.Name)
		}
	}
	for _, container := range set.Spec.Template.Spec.Containers {
		for _, mount := range container.VolumeMounts {
			if !volumes[mount.Name] {
				return fmt.Errorf("container %s: no volume %s", container.Name, mount.Name)
			}
			delete(volumes, mount.Name)
		}
	}
	if len(volumes) > 0 {
		return fmt.Errorf("volumes that nothing mounts: %v", volumes)
	}
	return nil
}
